using System.Globalization;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Devices;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Tenants;
using Postern.Relay.Policy.Watching;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>
/// Every rule that can refuse, made to refuse: the decision names it as the winner, and the change that is offered is carried out as it is
/// written, on the directory, the lists, the client or the world outside, whereupon the same question is permitted. A new rule is covered by
/// being in the list of rules; one that none of the situations here makes refuse fails, and so does a change in words that nobody can follow.
/// </summary>
public sealed class EveryRefusalTests : IDisposable
{
    private static readonly RuleStage[] Stages = Enum.GetValues<RuleStage>();

    private readonly string folder = Directory.CreateTempSubdirectory("postern-refusals-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Words => [.. RelayRules.All.Select(static rule => rule.Name)];

    [Theory]
    [MemberData(nameof(Words))]
    public async Task Every_rule_that_refuses_is_named_and_what_it_offers_permits(string word)
    {
        var rule = RelayRules.All.Single(one => one.Name == word);
        var refusals = 0;
        foreach (var stage in Stages.Where(stage => rule.Stages.HasFlag(stage)))
        {
            var entry = new RuleEntry(word, Samples.Of(rule, stage, folder));
            foreach (var situation in Situation.All())
            {
                var world = new Situated(situation, Lists(stage, entry));
                var decision = await world.DecideAsync(Ct);
                if (decision.IsPermit)
                    continue;
                refusals++;
                // That of tenants is asked at both of its stages, wherever it is written; a dry run knows the header at the first. That of
                // devices is asked at every stage.
                Assert.Equal((word, word is "reject_tenant_mismatch" or "check_devices" ? decision.Stage : stage), (decision.Rule, decision.Stage));
                Assert.Equal((word, "refuse"), (decision.Chain[^1].Rule, decision.Chain[^1].Said));
                Assert.True(!string.IsNullOrWhiteSpace(decision.Chain[^1].Remedy), $"{entry} at {stage} has no remedy for {situation}");

                await world.CarryOutAsync(Ct);
            }
        }

        // Nobody else is asked in a dry run: what would be said there is not known.
        if (RelayRules.Asking.Contains(word) || word.StartsWith("reject_unverified_", StringComparison.Ordinal))
            return;
        var claims = rule.Doc.Contains("refuse", StringComparison.OrdinalIgnoreCase) || rule.Doc.Contains("`reject`", StringComparison.Ordinal);
        Assert.True(
            claims == refusals > 0,
            claims
                ? $"{word} can refuse, as its Doc says, and nothing here makes it: add a situation to Situation.All()"
                : $"{word} refuses, and its Doc does not say so");
    }

    /// <summary>What decides in the place of a rule, by the names that a decision may have beside those of rules.</summary>
    [Fact]
    public async Task So_is_what_decides_in_the_place_of_a_rule()
    {
        var names = typeof(Decision).GetFields().Where(static field => field.IsLiteral).Select(static field => (string)field.GetValue(null)!);
        foreach (var name in names)
        {
            var situation = new Situation { Decider = name, Login = name is Decision.CredentialSenders or Decision.Suspended ? "alice" : null };
            var world = new Situated(situation, Lists(RuleStage.Recipient, "permit_networks") with { RecipientRules = ["permit_networks"] });
            var decision = await world.DecideAsync(Ct);
            Assert.Equal(name, decision.Rule);
            Assert.False(string.IsNullOrWhiteSpace(decision.Chain[^1].Remedy), name);
            // Whose address it is, no rule of ours says: it is said that nothing here helps, and no change is offered.
            if (name == Decision.RewrittenSender)
                Assert.Empty(await world.ChangesAsync(Ct));
            else
                await world.CarryOutAsync(Ct);
        }
    }

    private static PolicyOptions Lists(RuleStage stage, RuleEntry entry) => new()
    {
        Networks = [IPNetwork.Parse("10.1.0.0/16")],
        Devices = entry.Word == "check_devices"
            ? new([new DeviceTerms("printers") { Listeners = ["submission"], Clients = [IPNetwork.Parse("10.1.0.0/16")] }], ["submission"])
            : DeviceTable.Empty,
        Tenants = entry.Word != "reject_tenant_mismatch" ? TenantTable.Empty
            : stage == RuleStage.Sender ? new([new TenantTerms("acme") { Networks = [IPNetwork.Parse("10.1.0.0/16")], Domains = [Domain.Parse("acme.example")] }])
            : new([new TenantTerms("acme") { Header = "X-Tenant", Logins = ["scott"] }]),
        ClientRules = stage == RuleStage.Client ? [entry] : [],
        HeloRules = stage == RuleStage.Helo ? [entry] : [],
        SenderRules = stage == RuleStage.Sender ? [entry] : [],
        RecipientRules = stage == RuleStage.Recipient ? [entry, "permit"] : ["permit"],
        MessageRules = stage == RuleStage.Message ? [entry] : [],
    };

    /// <summary>What is asked, and how the world around is.</summary>
    private sealed record Situation
    {
        public string? Login { get; init; }

        public string Client { get; init; } = Judge.Stranger;

        public string Helo { get; init; } = "client.example";

        public string? Tls { get; init; } = "TLSv1.3";

        public string Sender { get; init; } = "alice@example.org";

        public string Recipient { get; init; } = "lisa@far.example";

        public string? Tenant { get; init; }

        public string? Behind { get; init; }

        public string From { get; init; } = "Alice <alice@example.org>";

        public NameAnswer Names { get; init; } = new NameAnswer.Known("it is there");

        public bool IsUsedUp { get; init; }

        public bool OffersAuth { get; init; }

        public bool IsSuppressed { get; init; }

        public string? Decider { get; init; }

        /// <summary>Each difference alone, for everybody.</summary>
        public static IEnumerable<Situation> All() =>
            from login in new[] { null, "alice", "carol", "gone@example.org" }
            from client in new[] { Judge.Stranger, Judge.Trusted }
            from differ in Differences
            select differ(new Situation { Login = login, Client = client });

        private static readonly Func<Situation, Situation>[] Differences =
        [
            static s => s,
            static s => s with { OffersAuth = s.Login is null },
            static s => s with { Helo = "x" },
            static s => s with { Helo = "not a name" },
            static s => s with { Tls = null },
            static s => s with { Sender = "" },
            static s => s with { Sender = "bob@example.org" },
            static s => s with { Sender = "x@foreign.example" },
            static s => s with { Sender = "x@short" },
            static s => s with { Recipient = "nobody@example.org" },
            static s => s with { Recipient = "a%b@example.org" },
            static s => s with { Recipient = "b@short" },
            static s => s with { IsSuppressed = true },
            static s => s with { Tenant = "acme" },
            static s => s with { Tenant = "unknown" },
            static s => s with { Behind = "NOOP" },
            static s => s with { IsUsedUp = true },
            static s => s with { From = "Bob <bob@example.org>, x@foreign.example" },
            static s => s with { From = "half an address <" },
            static s => s with { Names = new NameAnswer.Unknown("no such domain"), Sender = "x@foreign.example" },
            static s => s with { Names = new NameAnswer.Unknown("null MX") { TakesNone = true }, Sender = "x@foreign.example" },
            static s => s with { Names = new NameAnswer.Unavailable("no answer"), Sender = "x@foreign.example" },
        ];
    }

    /// <summary>A policy in a situation, and somebody who does what it says.</summary>
    private sealed class Situated(Situation situation, PolicyOptions options) : ISuppressions, INameLookup, ICounters
    {
        private readonly FakeDirectory directory = new Judge().Directory;
        private readonly HashSet<string> published = [];
        private PolicyOptions lists = options with
        {
            Srs = situation.Decider == Decision.RewrittenSender
                ? new Srs(Domain.Parse("fwd.test"), [new Secret("a secret of twelve")], days: 21)
                : null,
        };

        private EnvelopeFacts facts = Judge.Facts(situation.Client, situation.Login, situation.OffersAuth) with
        {
            Helo = situation.Helo,
            Tls = situation.Tls,
            ProvenBy = situation.Login,
            Credential = situation.Decider == Decision.CredentialSenders ? "#7" : null,
        };

        private bool isSuppressed = situation.IsSuppressed;
        private string? tenant = situation.Tenant;
        private bool isResolving;
        private bool isResumed;
        private bool isForgiven;
        private TimeSpan wait = situation.IsUsedUp ? TimeSpan.FromSeconds(90) : TimeSpan.Zero;

        public async Task<Decision> DecideAsync(CancellationToken ct) => await Policy().DryRunAsync(await QuestionAsync(ct), ct);

        public async Task<IReadOnlyList<string>> ChangesAsync(CancellationToken ct) => await Policy().ShortestChangeAsync(await QuestionAsync(ct), ct);

        /// <summary>Does what is said, and asks again.</summary>
        public async Task CarryOutAsync(CancellationToken ct)
        {
            var before = await DecideAsync(ct);
            var changes = await ChangesAsync(ct);
            Assert.True(changes.Count > 0, $"{before.Rule} offers nothing for {situation}");
            foreach (var change in changes)
                Assert.True(await TryAsync(change, ct), $"nobody knows how to do this: {change}");
            var after = await DecideAsync(ct);
            Assert.True(after.IsPermit, $"{string.Join("; ", changes)} does not permit what {before.Rule} refuses for {situation}: now {after.Rule} does");
        }

        public ValueTask<Suppression?> FindSuppressionAsync(string? tenant, Mailbox recipient, CancellationToken ct) =>
            new(isSuppressed ? new Suppression(tenant, recipient.Address, "bounced", default, ExpiresAt: null) : null);

        public ValueTask<NameAnswer> FindMailAsync(Domain domain, CancellationToken ct) => new(Found(domain.Text));

        public ValueTask<NameAnswer> FindClientAsync(IPAddress client, CancellationToken ct) => new(Found(client.ToString()));

        public ValueTask<CounterLevel> PeekAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) =>
            new(new CounterLevel(wait == TimeSpan.Zero, limit.Count, wait));

        public ValueTask<CounterLevel> TakeAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) =>
            throw new InvalidOperationException("a dry run counts nothing");

        private NameAnswer Found(string name) =>
            isResolving || published.Contains(name) ? new NameAnswer.Known("it is there now") : situation.Names;

        private RelayPolicy Policy() => new(
            lists, directory, new RecordingAuditLog(), TimeProvider.System, counters: this, suppressions: this, names: this)
        {
            Watch = situation.IsUsedUp && !isForgiven ? new Suspicious() : NobodyWatches.Instance,
            Suspended = situation.Decider == Decision.Suspended && !isResumed ? new AliceSuspended() : NobodySuspended.Instance,
        };

        private async Task<PolicyQuestion> QuestionAsync(CancellationToken ct)
        {
            var header = new HeaderFacts(situation.From, MessageId: null, Hops: 0);
            var account = facts.Login is { } login ? await directory.FindAccountAsync(login, ct) : null;
            var recipient = situation.Decider == Decision.RewrittenSender ? "SRS0=AAAA=BB=example.com=lisa@fwd.test" : situation.Recipient;
            return new PolicyQuestion(facts, Judge.Path(situation.Sender), Mailbox.Parse(recipient))
            {
                PipelinedBehind = situation.Behind,
                Header = header with
                {
                    Tenants = tenant is null ? [] : [("X-Tenant", tenant)],
                    HasForeignAuthor = facts.Login is null
                        ? null
                        : account is null || HeaderFacts.MailboxesIn(header.From, out var isWhole).Exists(one => !account.MaySendAs(one)) || !isWhole,
                },
            };
        }

        private async Task<bool> TryAsync(string change, CancellationToken ct)
        {
            string[] words = change.Split(' ');
            switch (words)
            {
                case ["postern", "account", "grant", var name, .. var grants]:
                    var account = (await directory.FindAccountAsync(name, ct))!;
                    directory.Add(name, [.. account.Addresses, .. grants.Where(static word => word != "--address")], [.. account.Domains], account.Enabled);
                    return true;
                case ["postern", "account", "enable", var name]:
                    var disabled = (await directory.FindAccountAsync(name, ct))!;
                    directory.Add(name, [.. disabled.Addresses], [.. disabled.Domains]);
                    return true;
                case ["postern", "account", "add", var name, ..]:
                    directory.Add(name.TrimEnd(','), addresses: [name.TrimEnd(',')]);
                    return true;
                case ["postern", "domain", "add", var domain, .. var accept]:
                    directory.List(domain, accept: accept is ["--accept"]);
                    return true;
                case ["postern", "network", "add", var network, "--domain", var domain]:
                    directory.Allow(network, domain);
                    return true;
                case ["postern", "suppression", "remove", _]:
                    isSuppressed = false;
                    return true;
                case ["postern", "logins", "forgive", _]:
                    isForgiven = true;
                    return true;
                case ["postern", "resume", "account", "alice"]:
                    isResumed = true;
                    return true;
                case ["postern", "credential", "add", _, ..]:
                    facts = facts with { Credential = null };
                    return true;
                case ["log", "in", .. var asWhom]:
                    directory.Add("somebody", addresses: asWhom.Length > 0 ? [asWhom[^1]] : []);
                    facts = facts with { Login = "somebody", ProvenBy = "somebody" };
                    return true;
                case ["add", var network, "to", "networks", ..]:
                    lists = lists with { Networks = lists.Networks.Add(IPNetwork.Parse(network)) };
                    return true;
                case ["add", var added, "to", ['t', 'e', 'n', 'a', 'n', 't', 's', '.', ..] key, "in", "postern.yaml"]:
                    lists = lists with { Tenants = new TenantTable(lists.Tenants.All.Select(t => Said(t, key, added))) };
                    return true;
                case ["add", var network, "to", "clients", "of", "devices", "'printers'", "in", "postern.yaml"]:
                    lists = lists with { Devices = lists.Devices.With(terms => terms with { Clients = terms.Clients.Add(IPNetwork.Parse(network)) }) };
                    return true;
                case ["have", "the", "client", "name", "no", "tenant"]:
                    tenant = null;
                    return true;
                case ["take", var rule, "out", "of", "rules", ..]:
                    lists = Without(rule);
                    return true;
                case ["write", "dunno", "behind", var pattern, "in", var file]:
                    await File.WriteAllLinesAsync(
                        file,
                        (await File.ReadAllLinesAsync(file, ct)).Select(line => line.StartsWith(pattern, StringComparison.Ordinal) ? $"{pattern} dunno" : line),
                        ct);
                    return true;
                case ["have", "the", "client", "use", "STARTTLS,", ..]:
                    facts = facts with { Tls = "TLSv1.3" };
                    return true;
                case ["have", "the", "client", "say", .., "EHLO", var name]:
                    facts = facts with { Helo = name };
                    return true;
                case ["whoever", "runs", "the", "network", "of", var client, ..]:
                    published.Add(client);
                    return true;
                case ["whoever", "runs", var domain, ..]:
                    published.Add(domain);
                    return true;
                case ["mend", "delivery.dns:", ..]:
                    isResolving = true;
                    return true;
                case ["wait", var seconds, ..]:
                    wait -= TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture));
                    return true;
                default:
                    return false;
            }
        }

        private static TenantTerms Said(TenantTerms tenant, string key, string added) => key.Split('.') switch
        {
            [_, var name, "domains"] when name == tenant.Name => tenant with { Domains = tenant.Domains.Add(Domain.Parse(added)) },
            [_, var name, "require_login"] when name == tenant.Name => tenant with { Logins = tenant.Logins.Add(added) },
            _ => tenant,
        };

        private PolicyOptions Without(string rule) => lists with
        {
            ClientRules = [.. lists.ClientRules.Where(entry => entry.Word != rule)],
            HeloRules = [.. lists.HeloRules.Where(entry => entry.Word != rule)],
            SenderRules = [.. lists.SenderRules.Where(entry => entry.Word != rule)],
            RecipientRules = [.. lists.RecipientRules.Where(entry => entry.Word != rule)],
            MessageRules = [.. lists.MessageRules.Where(entry => entry.Word != rule)],
        };
    }

    private sealed class Suspicious : ILoginWatch
    {
        public WatchAnswer? Judge(WatchedLogin login, in Sending sending, WatchLevels levels, bool counts) =>
            new(new LoginScore(120, [new ScorePart(ScoreKind.NewCountry, 120, 0, 0)]), WatchStep.Suspend, Passes: false);

        public void MissPlaces(string path, string? problem)
        {
        }

        public void AddFailure(WatchedLogin login)
        {
        }

        public void Take(WatchedLogin login, IPAddress client, WatchAnswer answer, WatchLevels levels) =>
            throw new InvalidOperationException("a dry run takes no step");
    }

    private sealed class AliceSuspended : ISuspendedSenders
    {
        public Suspension? Find(EnvelopeFacts facts, DateTimeOffset now, IReadOnlySet<(SuspendedKind Of, string Name)>? except = null) =>
            facts.Login != "alice" || except?.Contains((SuspendedKind.Account, "alice")) is true
                ? null
                : new Suspension(SuspendedKind.Account, "alice", "a test", now, now.AddDays(1), "root");
    }

    /// <summary>Writes an entry of any rule: a value for each argument that must be there.</summary>
    private sealed class Samples(string folder) : RuleArguments
    {
        private readonly List<string> written = [];

        public static string Of(IRelayRule rule, RuleStage stage, string folder)
        {
            var samples = new Samples(folder);
            rule.With(stage, samples);
            return string.Join(", ", samples.written);
        }

        public override T Value<T>(string key, ArgumentKind<T> kind, T fallback, string fallbackText, string doc) => fallback;

        public override T Required<T>(string key, ArgumentKind<T> kind, string doc)
        {
            var sample = kind.Name switch
            {
                "networks" => "203.0.113.0/24",
                "recipients" => "@example.org",
                "count/time" => "1/1h",
                "address" => "archive@example.org",
                "field" => "X-Origin: scanner",
                "fingerprints" => new string('a', 64),
                "place" => "unix:/nowhere/policy",
                "URL" => "https://policy.example/",
                "path" => Table(),
                ['`', ..] words => words[1..words.IndexOf('`', 1)],
                var unknown => throw new InvalidOperationException($"say here what an argument of the kind {unknown} may be"),
            };
            Assert.True(kind.Read(sample, out var value), sample);
            written.Add(ArgumentText.Of(key, sample));
            return value;
        }

        private string Table()
        {
            var path = Path.Combine(folder, "table");
            File.WriteAllText(path, "203.0.113.0/24 reject\n10.1.0.0/16 554 5.7.1 not from there\n");
            return path;
        }
    }
}
