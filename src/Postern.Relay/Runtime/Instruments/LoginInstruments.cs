using System.Diagnostics.Metrics;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Suspending;
using Postern.Sasl;
using static Postern.Relay.Runtime.Instruments.RelayInstruments;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>Logins, and what they wait for.</summary>
internal sealed class LoginInstruments(Meter meter)
{
    private readonly Counter<long> attempts = meter.CreateCounter<long>(
        "postern.auth.attempts", "{login}", "Finished logins, also those that another server asked about.");

    /// <summary>How long stores took that have to ask somebody else, by store.</summary>
    public Histogram<double> Answers { get; } = meter.CreateHistogram(
        "postern.auth.duration", "s", "How long stores took to answer that have to ask somebody else.", tags: null, Waits);

    public void Note(LoginEvent login)
    {
        if (attempts.Enabled)
            attempts.Add(1, Tag("mechanism", WordOf(login.Mechanism)), Tag("outcome", EventWord.Of(login.Outcome)));
    }

    public static void Watch(Meter meter, HashingPool hashing, LoginProtection protection, SuspendedSenders suspended)
    {
        meter.CreateObservableGauge("postern.auth.hashing.waiting", () => hashing.Waiting, "{login}", "Logins that wait to be hashed.");
        meter.CreateObservableGauge(
            "postern.auth.paused_addresses", () => protection.PausedAddresses, "{address}", "Addresses whose guesses are not checked now.");
        meter.CreateObservableGauge(
            "postern.accounts.suspended",
            () => suspended.All.Length,
            "{sender}",
            "Accounts, credentials and tenants that may send nothing now.");
    }

    /// <summary>The name of a mechanism that there is; an embedder's own, and what a client made up, is another.</summary>
    private static string WordOf(string mechanism)
    {
        foreach (var known in SaslMechanisms.All)
        {
            if (known.Name == mechanism)
                return known.Name;
        }

        return "other";
    }
}
