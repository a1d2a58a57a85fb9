using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Accounts;

namespace Postern.Bench;

/// <summary>Somebody who guesses, in a process of its own that gives way to others: so many a second, each over a connection of its own, from many addresses, at users that there are and others.</summary>
internal static class WrongLogins
{
    public const string Verb = "guesses";

    private static int sent;
    private static int right;
    private static readonly int[] replies = new int[600];

    /// <summary>The process itself: begins at the first line of its input, says at the next how it went, and ends with its input.</summary>
    public static async Task<int> RunAsync(int port, int rate)
    {
        HashingPool.LowerPriority();
        await Console.Out.WriteLineAsync("ready");
        CancellationTokenSource? end = null;
        var guessing = Task.CompletedTask;
        while (await Console.In.ReadLineAsync() is { } word)
        {
            if (word == "begin")
            {
                end = new CancellationTokenSource();
                guessing = GuessAsync(port, rate, end.Token);
                await Console.Out.WriteLineAsync("begun");
                continue;
            }

            await (end?.CancelAsync() ?? Task.CompletedTask);
            await guessing;
            await Console.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{sent} {right} {string.Join(' ', Enumerable.Range(0, 600).Where(static c => replies[c] > 0).Select(static c => $"{c}:{replies[c]}"))}"));
        }

        return 0;
    }

    private static async Task GuessAsync(int port, int rate, CancellationToken ct)
    {
        var (started, number, open) = (Stopwatch.GetTimestamp(), 0, new List<Task>());
        while (!ct.IsCancellationRequested)
        {
            for (var due = (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * rate); number <= due; number++)
                open.Add(GuessAsync(port, sent + number));
            open.RemoveAll(static t => t.IsCompleted);
            await Task.Delay(2, CancellationToken.None);
        }

        sent += number;
        await Task.WhenAll(open);
    }

    private static async Task GuessAsync(int port, int number)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"127.{1 + (number % 200)}.{(number / 200) % 200}.1")), 0));
            await socket.ConnectAsync(IPAddress.Loopback, port);
            using var reader = new StreamReader(new NetworkStream(socket), Encoding.Latin1);
            await reader.ReadLineAsync();
            await socket.SendAsync("EHLO guess\r\n"u8.ToArray());
            while (await reader.ReadLineAsync() is ['2', '5', '0', '-', ..])
            {
            }

            var user = FarUsers.User(number % (2 * AttackedServer.Users));
            var login = Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\0{user}\0guess {number}")));
            await socket.SendAsync(Encoding.ASCII.GetBytes($"AUTH PLAIN {login}\r\n"));
            var reply = await reader.ReadLineAsync();
            Interlocked.Increment(ref replies[int.TryParse(reply.AsSpan(0, Math.Min(3, reply?.Length ?? 0)), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : 0]);
            if (code == 235)
                Interlocked.Increment(ref right);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            Interlocked.Increment(ref replies[0]);
        }
    }
}
