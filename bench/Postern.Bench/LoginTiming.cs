using System.Diagnostics;
using Postern.Relay.Accounts;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Bench;

/// <summary>
/// What the server's share of a login takes, by how it ends: whoever measures must not learn which users exist. Tries are interleaved, so that
/// the machine's moods fall on all alike; the client's share is not counted.
/// </summary>
internal static class LoginTiming
{
    private const int Tries = 2_000;
    private const int WarmUp = 200;

    /// <summary>A gap of the medians that a program over a network could find among the noise.</summary>
    private const double MostPercent = 5;

    /// <summary>Every mechanism that proves a password: with the relay's own verifiers where it has them, else with users in memory.</summary>
    public static async Task<int> RunAsync()
    {
        using var relay = new RelayUsers();
        var memory = new MemoryUsers();
        var rows = SaslMechanisms.All.Where(static m => SaslClientMechanisms.All.Any(c => c.Name == m.Name && c.TryStart(Try("x", "y")) is not null))
            .Select(m => (Mechanism: m, IsRelay: AccountVerifiers.Mechanisms.Contains(m.Name, StringComparer.Ordinal)))
            .Where(r => r.Mechanism.TryStart(r.IsRelay ? relay.Context : memory.Context) is not null)
            .ToList();

        Console.WriteLine($"{"microseconds, median",-22} {"users in",-10} {"wrong password",14} {"unknown user",14} {"gap",8} {"right",10}");
        var isEven = true;
        foreach (var (mechanism, isRelay) in rows)
        {
            var (wrong, unknown, right) = isRelay
                ? await MeasureAsync(mechanism, relay.Context, relay.Name, relay.Password)
                : await MeasureAsync(mechanism, memory.Context, MemoryUsers.Name, _ => MemoryUsers.Password);
            var gap = 100 * (unknown - wrong) / wrong;
            isEven &= Math.Abs(gap) < MostPercent;
            Console.WriteLine($"{mechanism.Name,-22} {(isRelay ? "SQLite" : "memory"),-10} {wrong,14:0.0} {unknown,14:0.0} {gap,7:+0.0;-0.0}% {right,10:0.0}");
        }

        return isEven ? 0 : 1;
    }

    private static async Task<(double Wrong, double Unknown, double Right)> MeasureAsync(ISaslMechanism mechanism, SaslContext context, Func<int, string> name, Func<int, string> password)
    {
        var (wrong, unknown, right) = (new double[Tries], new double[Tries], new double[Tries]);
        for (var i = -WarmUp; i < Tries; i++)
        {
            // Names of one length, each asked for again and again: known and unknown ones are equally warm.
            var (user, nobody) = (name(i & 15), name(1000 + (i & 15)));
            var w = await TimeAsync(mechanism, context, Try(user, "not-the-password"), mustSucceed: false);
            var u = await TimeAsync(mechanism, context, Try(nobody, "not-the-password"), mustSucceed: false);
            var r = await TimeAsync(mechanism, context, Try(user, password(i & 15)), mustSucceed: true);
            if (i >= 0)
                (wrong[i], unknown[i], right[i]) = (w, u, r);
        }

        return (Median(wrong), Median(unknown), Median(right));
    }

    private static async Task<double> TimeAsync(ISaslMechanism mechanism, SaslContext context, SaslClientCredentials credentials, bool mustSucceed)
    {
        using var client = SaslClientMechanisms.All.Single(c => c.Name == mechanism.Name).TryStart(credentials)!;
        var spent = TimeSpan.Zero;
        var started = Stopwatch.GetTimestamp();
        var server = mechanism.TryStart(context)!;
        spent += Stopwatch.GetElapsedTime(started);
        var response = ((SaslClientStep.Response)client.Next(challenge: null)).Data;
        while (true)
        {
            started = Stopwatch.GetTimestamp();
            var step = await server.NextAsync(response, CancellationToken.None);
            spent += Stopwatch.GetElapsedTime(started);
            if (step is not SaslStep.Challenge(var challenge))
                return step is SaslStep.Success == mustSucceed ? spent.TotalMicroseconds : throw new InvalidOperationException($"{mechanism.Name}: {step}");
            response = ((SaslClientStep.Response)client.Next(challenge)).Data;
        }
    }

    private static SaslClientCredentials Try(string user, string password) => new() { User = user, Password = new Secret(password), Host = MemoryUsers.Realm };

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }
}
