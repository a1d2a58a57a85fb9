using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Watching;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Bench;

/// <summary>What the rules cost: a recipient with twenty rules before the one that permits, and an address in a hundred thousand prefixes.</summary>
internal static class PolicyCost
{
    private const int Recipients = 400_000;
    private const int Prefixes = 100_000;
    private const int Lookups = 4_000_000;

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("postern-policy-").FullName;
        try
        {
            using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder, "directory.db")));
            var table = Path.Combine(folder, "table");
            await File.WriteAllLinesAsync(table, Enumerable.Range(0, Prefixes).Select(static i => $"user{i}@x.test reject"));
            await MeasureAsync(directory, "the default rules", new PolicyOptions { Networks = Networks(1) });
            await MeasureAsync(directory, "twenty rules", new PolicyOptions
            {
                Networks = Networks(1),
                SenderRules = [],
                RecipientRules =
                [
                    .. Enumerable.Range(0, 8).Select(static i => RuleEntry.Parse($"reject_clients 192.0.{i}.0/24")),
                    "reject_non_fqdn_sender",
                    "reject_non_fqdn_recipient",
                    "reject_non_fqdn_helo_hostname",
                    RuleEntry.Parse($"check_access by: sender, table: {table}"),
                    RuleEntry.Parse($"check_access by: recipient, table: {table}"),
                    RuleEntry.Parse($"check_access by: helo, table: {table}"),
                    "prepend_header field: \"X-Of: here\"",
                    "warn_if_reject_plaintext_session",
                    "reject_sender_login_mismatch",
                    "permit_authenticated",
                    "permit_network_for_domain",
                    "permit_networks",
                ],
            });
            await MeasureAsync(directory, "the default rules, 100,000 networks", new PolicyOptions { Networks = Networks(Prefixes) });
            using var counters = LocalCounters.Open(
                Path.Combine(folder, "counters"), NoAuditLog.Instance, TimeProvider.System, Path.Combine(folder, "limits"));
            await MeasureAsync(
                directory,
                "the default rules, eight limits",
                new PolicyOptions { Networks = Networks(1), Limits = Limits() },
                counters);
            using var watch = new LoginWatch(path: null, suspended: null, NoAuditLog.Instance, TimeProvider.System);
            await MeasureAsync(
                directory,
                "the default rules, a login is watched",
                new PolicyOptions { Networks = Networks(1), SenderRules = [], RecipientRules = ["watch_logins", "permit_networks"] },
                watch: watch);
            Find();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(SqliteDirectory directory, string what, PolicyOptions options, ICounters? counters = null, LoginWatch? watch = null)
    {
        var policy = new RelayPolicy(options, directory, NoAuditLog.Instance, watch is null ? TimeProvider.System : new CalmClock(), counters)
        {
            Watch = (ILoginWatch?)watch ?? NobodyWatches.Instance,
        };
        var (sender, recipient) = (new ReversePath(Mailbox.Parse("robot@foreign.test")), Mailbox.Parse("someone@example.net"));
        var session = new SessionState
        {
            Id = "s",
            Listener = "submission",
            Hostname = "mail.example.org",
            ClientAddress = IPAddress.Parse("10.0.0.1"),
            HeloName = "client.example.org",
            Identity = watch is null ? null : new SaslIdentity("robot", "robot"),
            Mechanism = watch is null ? null : "PLAIN",
            Transaction = new Transaction(sender, MailParameters.None),
        };
        await policy.OnSenderAsync(session, sender, CancellationToken.None);
        for (var i = 0; i < Recipients / 4; i++)
            await AskAsync();
        var (before, begun, allocated) = (Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < Recipients; i++)
            await AskAsync();
        var cpu = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / Recipients;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-36} {cpu,6:0.00} us of CPU a recipient, {Stopwatch.GetElapsedTime(begun).TotalMicroseconds / Recipients:0.00} us, {(GC.GetAllocatedBytesForCurrentThread() - allocated) / Recipients} octets"));

        async ValueTask AskAsync()
        {
            if (await policy.OnRecipientAsync(session, recipient, CancellationToken.None) is not Verdict.Permit)
                throw new InvalidOperationException("it is not permitted");
        }
    }

    /// <summary>A minute passes whenever somebody looks: nothing is unusual then.</summary>
    private sealed class CalmClock : TimeProvider
    {
        private DateTimeOffset now = DateTimeOffset.UnixEpoch.AddYears(50);

        public override DateTimeOffset GetUtcNow() => now = now.AddMinutes(1);
    }

    private static void Find()
    {
        var table = new NetworkTable<bool>(Networks(Prefixes).Select(static n => (n, true)));
        var random = new Random(1);
        var addresses = Enumerable.Range(0, 1 << 16).Select(_ => new IPAddress([10, (byte)random.Next(256), (byte)random.Next(256), 1])).ToArray();
        var (found, begun) = (0, Stopwatch.GetTimestamp());
        for (var i = 0; i < Lookups; i++)
            found += table.TryFind(addresses[i & 0xFFFF], out _, out _) ? 1 : 0;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{"an address in 100,000 prefixes",-36} {Stopwatch.GetElapsedTime(begun).TotalNanoseconds / Lookups,6:0} ns, {found * 100L / Lookups} % found"));
    }

    /// <summary>Two times each for what a client without a login falls under at RCPT.</summary>
    private static LimitTable Limits() => new()
    {
        Scopes =
        [
            .. new[] { LimitScope.Addresses, LimitScope.Networks, LimitScope.Senders, LimitScope.Domains }.Select(static scope => new ScopeLimits(
                scope,
                [
                    new ThingLimit(LimitThing.Recipients, new WindowLimit(1_000_000_000, TimeSpan.FromHours(1))),
                    new ThingLimit(LimitThing.Recipients, new WindowLimit(1_000_000_000, TimeSpan.FromDays(1))),
                ])),
        ],
    };

    /// <summary>The client's, and others that stand apart.</summary>
    private static ImmutableArray<IPNetwork> Networks(int count) =>
        [.. Enumerable.Range(0, count).Select(static i => new IPNetwork(new IPAddress([(byte)(10 + (i >> 16)), (byte)(i >> 8), (byte)i, 0]), 24))];
}
