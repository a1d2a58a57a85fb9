using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Devices;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Tenants;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Explaining;

/// <summary>
/// The world as it would be after some changes: what the rules are asked with to prove that the changes do. Nothing outside is changed.
/// Whoever says what would have to be different (<see cref="Mend"/>) sets it here.
/// </summary>
internal sealed class MendedWorld(PolicyWorld now, IDirectory before, EnvelopeFacts facts, Account? account)
    : IDirectory, ISuppressions, INameLookup, ICounters
{
    private const string AnyName = "any.name.example";

    private readonly INameLookup names = now.Names ?? UnknownNames.Instance;
    private readonly Account? known = account;

    public EnvelopeFacts Facts { get; set; } = facts;

    /// <summary>Of the login; null where there is none.</summary>
    public Account? Account { get; set; } = account;

    public bool IsUnsuppressed { get; set; }

    /// <summary>Domains that <c>postern domain add</c> made known.</summary>
    public HashSet<Domain> Listed { get; } = [];

    /// <summary>The same with <c>--accept</c>.</summary>
    public HashSet<Domain> Accepted { get; } = [];

    /// <summary>The client may send for this domain.</summary>
    public Domain? Allowed { get; set; }

    /// <summary>An account has this address.</summary>
    public Mailbox? Owned { get; set; }

    /// <summary>The client is in <c>networks</c>.</summary>
    public bool IsTrusted { get; set; }

    /// <summary>Rules that are written no more.</summary>
    public HashSet<string> Out { get; } = new(StringComparer.Ordinal);

    /// <summary>Rules that are written at the end of the list of recipients.</summary>
    public List<string> Appended { get; } = [];

    /// <summary>Limits that are raised.</summary>
    public HashSet<LimitName> Lifted { get; } = [];

    /// <summary>What is said of each tenant, changed.</summary>
    public List<Func<TenantTerms, TenantTerms>> Tenants { get; } = [];

    /// <summary>What is said of devices, changed.</summary>
    public List<Func<DeviceTerms, DeviceTerms>> Devices { get; } = [];

    /// <summary>The client, and nobody else.</summary>
    public IPNetwork ClientAlone => OnlyOf(Facts.Client);

    /// <summary>The header names no tenant.</summary>
    public bool NamesNoTenant { get; set; }

    /// <summary>Patterns of access tables, each with its file, behind which <c>dunno</c> stands.</summary>
    public HashSet<(string Path, string Pattern)> Waived { get; } = [];

    /// <summary>How long somebody waited: counts have flowed back by as much.</summary>
    public TimeSpan Waited { get; set; }

    /// <summary>Those that are suspended no more.</summary>
    public HashSet<(SuspendedKind Of, string Name)> Resumed { get; } = [];

    /// <summary>What the login did was its user.</summary>
    public bool IsForgiven { get; set; }

    /// <summary>Domains for whose mail DNS has a place now.</summary>
    public HashSet<Domain> Published { get; } = [];

    /// <summary>The address of the client has a name that leads back to it.</summary>
    public bool HasClientName { get; set; }

    /// <summary>The header as the account as it would be makes it out; one that is foreign for its form stays so.</summary>
    public HeaderFacts? Judged(HeaderFacts? header) => header is null ? null : header with
    {
        HasForeignAuthor = Judged(header.HasForeignAuthor, header.From),
        HasForeignResender = Judged(header.HasForeignResender, header.ResentFrom),
        HasForeignSender = Judged(header.HasForeignSender, header.Sender),
        Tenants = NamesNoTenant ? [] : header.Tenants,
    };

    private bool? Judged(bool? isForeign, string? text) =>
        isForeign is true && Account is { } whose && HeaderFacts.MailboxesIn(text, out var isWhole) is var all && isWhole
        && (known is null || all.Exists(one => !known.MaySendAs(one)))
            ? all.Exists(one => !whose.MaySendAs(one))
            : isForeign;

    /// <summary>The options as they would be.</summary>
    public PolicyOptions Judged(PolicyOptions options) => options with
    {
        Networks = IsTrusted ? options.Networks.Add(OnlyOf(Facts.Client)) : options.Networks,
        ClientRules = Left(options.ClientRules),
        HeloRules = Left(options.HeloRules),
        SenderRules = Left(options.SenderRules),
        RecipientRules = [.. Left(options.RecipientRules), .. Appended.Select(RuleEntry.Parse)],
        MessageRules = Left(options.MessageRules),
        Limits = options.Limits with { Lifted = [.. Lifted] },
        Tenants = Tenants.Count == 0
            ? options.Tenants
            : new TenantTable(options.Tenants.All.Select(t => Tenants.Aggregate(t, static (changed, change) => change(changed)))),
        Devices = Devices.Count == 0
            ? options.Devices
            : options.Devices.With(terms => Devices.Aggregate(terms, static (changed, change) => change(changed))),
        Classes = options.Classes.ToImmutableSortedDictionary(static l => l.Key, l => Left(l.Value), StringComparer.Ordinal),
    };

    public ValueTask<Suppression?> FindSuppressionAsync(string? tenant, Mailbox recipient, CancellationToken ct) =>
        IsUnsuppressed || now.Suppressions is not { } list ? default : list.FindSuppressionAsync(tenant, recipient, ct);

    public ValueTask<Account?> FindAccountAsync(string name, CancellationToken ct) =>
        name == Facts.Login ? new(Account) : before.FindAccountAsync(name, ct);

    public ValueTask<StoredCredential?> FindCredentialAsync(string name, string id, CancellationToken ct) =>
        before.FindCredentialAsync(name, id, ct);

    public ValueTask<string?> FindOwnerAsync(Mailbox address, CancellationToken ct) =>
        address.Equals(Owned) ? new(address.Canonical) : before.FindOwnerAsync(address, ct);

    public ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct) =>
        Listed.Contains(domain) || Accepted.Contains(domain) ? new(true) : before.IsListedAsync(domain, ct);

    public ValueTask<bool> AcceptsRecipientsAsync(Domain domain, CancellationToken ct) =>
        Accepted.Contains(domain) ? new(true) : before.AcceptsRecipientsAsync(domain, ct);

    public async ValueTask<IPNetwork?> FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct) =>
        await before.FindNetworkAsync(client, domain, ct) ?? (Allowed is { } allowed && allowed.Equals(domain) ? OnlyOf(client) : null);

    public ValueTask<NameAnswer> FindMailAsync(Domain domain, CancellationToken ct) => Published.Contains(domain)
        ? new(new NameAnswer.Known(domain.Text))
        : names.FindMailAsync(domain, ct);

    public ValueTask<NameAnswer> FindClientAsync(IPAddress client, CancellationToken ct) =>
        HasClientName ? new(new NameAnswer.Known(AnyName)) : names.FindClientAsync(client, ct);

    public async ValueTask<CounterLevel> PeekAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) =>
        await now.Counters.PeekAsync(key, limit, cost, ct) is var level && level.Wait <= Waited ? level with { Fits = true } : level;

    public IWindowCounters Windows => now.Counters.Windows;

    /// <summary>Nothing is counted in a world that is not there.</summary>
    public ValueTask<CounterLevel> TakeAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) =>
        PeekAsync(key, limit, cost, ct);

    private ImmutableArray<RuleEntry> Left(ImmutableArray<RuleEntry> entries) =>
        Out.Count == 0 ? entries : [.. entries.Where(entry => !Out.Contains(entry.Word))];

    private static IPNetwork OnlyOf(IPAddress client) => new(client, client.GetAddressBytes().Length * 8);
}

/// <summary>Says in what the world would have to be different for a rule not to refuse; the rule's remedy says the same in words.</summary>
internal delegate void Mend(MendedWorld world);
