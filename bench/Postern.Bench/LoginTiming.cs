using System.Diagnostics;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Sasl.Mechanisms;

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

    /// <summary>What <see cref="HashSchemes.Usual"/> serves.</summary>
    private static readonly ISaslMechanism[] Usual = [ScramMechanism.Sha256, PlainMechanism.Instance, LoginMechanism.Instance];

    /// <summary>Every mechanism that proves a password, through the relay's verifiers: with secrets as they usually are where they serve it, else with shared ones.</summary>
    public static async Task<int> RunAsync()
    {
        using var usual = new RelayUsers(HashSchemes.Usual);
        using var shared = new RelayUsers(HashSchemes.Shared);
        Console.WriteLine($"{"microseconds, median",-22} {"secrets",-14} {"wrong password",14} {"unknown user",14} {"gap",8} {"right",10}");
        var isEven = true;
        foreach (var mechanism in SaslMechanisms.All.Where(m => ClientOf(m).TryStart(Try("x", "y")) is not null && m != AnonymousMechanism.Instance && m.TryStart(shared.Context) is not null))
        {
            var isUsual = Usual.Contains(mechanism);
            var (wrong, unknown, right) = await MeasureAsync(mechanism, isUsual ? usual : shared);
            var gap = 100 * (unknown - wrong) / wrong;
            isEven &= Math.Abs(gap) < MostPercent;
            Console.WriteLine($"{mechanism.Name,-22} {(isUsual ? HashSchemes.Usual : HashSchemes.Shared).Name,-14} {wrong,14:0.0} {unknown,14:0.0} {gap,7:+0.0;-0.0}% {right,10:0.0}");
        }

        return isEven ? 0 : 1;
    }

    private static async Task<(double Wrong, double Unknown, double Right)> MeasureAsync(ISaslMechanism mechanism, RelayUsers users)
    {
        var (wrong, unknown, right) = (new double[Tries], new double[Tries], new double[Tries]);
        for (var i = -WarmUp; i < Tries; i++)
        {
            // Names of one length, each asked for again and again: known and unknown ones are equally warm.
            var (user, nobody) = (RelayUsers.Name(i & 15), RelayUsers.Name(1000 + (i & 15)));
            var w = await TimeAsync(mechanism, users.Context, Try(user, "not-the-password"), mustSucceed: false);
            var u = await TimeAsync(mechanism, users.Context, Try(nobody, "not-the-password"), mustSucceed: false);
            var r = await TimeAsync(mechanism, users.Context, Try(user, users.Password(i & 15)), mustSucceed: true);
            if (i >= 0)
                (wrong[i], unknown[i], right[i]) = (w, u, r);
        }

        return (Median(wrong), Median(unknown), Median(right));
    }

    private static async Task<double> TimeAsync(ISaslMechanism mechanism, SaslContext context, SaslClientCredentials credentials, bool mustSucceed)
    {
        using var client = ClientOf(mechanism).TryStart(credentials)!;
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

    private static ISaslClientMechanism ClientOf(ISaslMechanism mechanism) => SaslClientMechanisms.All.Single(c => c.Name == mechanism.Name);

    private static SaslClientCredentials Try(string user, string password) => new() { User = user, Password = new Secret(password), Host = RelayUsers.Realm };

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }
}
