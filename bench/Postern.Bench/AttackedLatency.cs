using System.Diagnostics;
using System.Globalization;
using System.Net;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>
/// The time of a message, from its MAIL to the 250 behind its dot, of users who are logged in: without wrong logins, and while 500 a second arrive.
/// Phases take turns, so that the machine's moods fall on both. Each message has its moment, whether or not the one before it has come back. Fails
/// where the 99th percentile is more than a fifth higher.
/// </summary>
internal static class AttackedLatency
{
    private const int Sessions = 20;
    private const int MessagesASecond = 100;
    private const int GuessesASecond = 500;
    private const double Most = 1.2;

    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(int rounds, string? only)
    {
        Console.WriteLine($"{"",-10} {"protection",-10} {"",-8} {"messages",9} {"p50 ms",8} {"p99 ms",8} {"p99.9",8} {"worst",8} {"CPU s",7} {"hashed",7} {"guesses and replies",-20}");
        var isGood = true;
        foreach (var kind in AttackedServer.Kinds.Where(k => only is null || k == only))
        {
            isGood &= await MeasureAsync(kind, isProtected: true, rounds);
            await MeasureAsync(kind, isProtected: false, rounds);
        }

        return isGood ? 0 : 1;
    }

    private static async Task<bool> MeasureAsync(string kind, bool isProtected, int rounds)
    {
        using var server = await ChildProcess.StartAsync(AttackedServer.Verb, kind, isProtected ? "on" : "off");
        var port = int.Parse(server.Greeting, CultureInfo.InvariantCulture);
        using var guesser = await ChildProcess.StartAsync(WrongLogins.Verb, server.Greeting, GuessesASecond.ToString(CultureInfo.InvariantCulture));
        var sessions = new List<SmtpDialogue>();
        for (var i = 0; i < Sessions; i++)
        {
            var session = await SmtpDialogue.GreetAsync(new IPEndPoint(IPAddress.Loopback, port));
            await session.LogInAsync(FarUsers.User(i), FarUsers.Password);
            sessions.Add(session);
        }

        await RunPhaseAsync(sessions);
        var (quiet, loud) = (new List<double>(), new List<double>());
        var (quietCost, loudCost, guesses) = (new Cost(), new Cost(), string.Empty);
        for (var round = 0; round < rounds; round++)
        {
            quiet.AddRange(await CountAsync(server, sessions, quietCost));
            await guesser.AskAsync("begin");
            loud.AddRange(await CountAsync(server, sessions, loudCost));
            guesses = await guesser.AskAsync("end");
        }

        Print(kind, isProtected, "quiet", quiet, quietCost, string.Empty);
        Print(kind, isProtected, "attacked", loud, loudCost, guesses);
        foreach (var session in sessions)
            await session.DisposeAsync();
        await guesser.EndAsync();
        await server.EndAsync();
        return Percentile(loud, 0.99) <= Most * Percentile(quiet, 0.99);
    }

    private static async Task<List<double>> CountAsync(ChildProcess server, List<SmtpDialogue> sessions, Cost cost)
    {
        var before = Read(await server.AskAsync("cost"));
        var times = await RunPhaseAsync(sessions);
        var after = Read(await server.AskAsync("cost"));
        cost.Cpu += after.Cpu - before.Cpu;
        cost.Hashed += after.Hashed - before.Hashed;
        return times;
    }

    private static async Task<List<double>> RunPhaseAsync(List<SmtpDialogue> sessions)
    {
        var started = Stopwatch.GetTimestamp();
        var gap = TimeSpan.FromSeconds((double)Sessions / MessagesASecond);
        var all = await Task.WhenAll(sessions.Select((session, i) => Task.Run(() => SendAsync(session, i, started, gap))));
        return [.. all.SelectMany(static times => times)];
    }

    private static async Task<List<double>> SendAsync(SmtpDialogue session, int number, long started, TimeSpan gap)
    {
        var times = new List<double>();
        for (var due = gap * ((double)number / Sessions); due < Phase; due += gap)
        {
            if (due - Stopwatch.GetElapsedTime(started) is var wait && wait > TimeSpan.Zero)
                await Task.Delay(wait);
            // A timer is up to a millisecond late, which is not the server's.
            var from = Stopwatch.GetElapsedTime(started) is var now && now - due < TimeSpan.FromMilliseconds(2) ? now : due;
            var reply = await session.SendAsync("a@example.org", "b@accepted.example", "Subject: x\r\n\r\nSome words.\r\n");
            if (!reply.StartsWith("250", StringComparison.Ordinal))
                throw new InvalidOperationException(reply);
            times.Add((Stopwatch.GetElapsedTime(started) - from).TotalMilliseconds);
        }

        return times;
    }

    private static (double Cpu, long Hashed) Read(string line)
    {
        var words = line.Split(' ');
        return (double.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static void Print(string kind, bool isProtected, string phase, List<double> times, Cost cost, string guesses) => Console.WriteLine(
        $"{kind,-10} {(isProtected ? "on" : "off"),-10} {phase,-8} {times.Count,9} {Percentile(times, 0.5),8:0.00} {Percentile(times, 0.99),8:0.00} {Percentile(times, 0.999),8:0.00} "
            + $"{times.Max(),8:0.00} {cost.Cpu,7:0.0} {cost.Hashed,7} {guesses}");

    private static double Percentile(List<double> times, double part)
    {
        times.Sort();
        return times[Math.Min(times.Count - 1, (int)(times.Count * part))];
    }

    /// <summary>Of the server, in phases of one kind.</summary>
    private sealed class Cost
    {
        public double Cpu { get; set; }

        public long Hashed { get; set; }
    }
}
