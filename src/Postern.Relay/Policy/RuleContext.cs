using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Access;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Devices;
using Postern.Relay.Policy.Explaining;
using Postern.Relay.Policy.Services;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Policy;

/// <summary>
/// One question to the rules: the facts, the envelope so far, and what the directory and the configuration say about them. Used
/// by one caller at a time; a lookup that several rules need is made once.
/// </summary>
internal sealed class RuleContext(PolicyWorld world, PolicyQuestion question)
{
    private readonly PolicyOptions options = world.Options;
    private readonly IDirectory directory = world.DirectoryOf(question.Facts.Listener);
    private Account? account;
    private bool knowsAccount;

    public PolicyQuestion Question => question;

    public EnvelopeFacts Facts => question.Facts;

    public ReversePath Sender => question.Sender;

    /// <summary>Null but at the recipient stage.</summary>
    public Mailbox? Recipient => question.Recipient;

    /// <summary>Null but at the message stage, and there in a dry run.</summary>
    public HeaderFacts? Header => question.Header;

    public PolicyOptions Options => options;

    /// <summary>A rule only looks at them; what it wants counted goes with its answer (<see cref="Charge"/>).</summary>
    public ICounters Counters => world.Counters;

    /// <summary>Null in a dry run's world.</summary>
    public LimitNews? News => world.News;

    /// <summary>Null in a dry run's world.</summary>
    public RuleTrials? Trials => world.Trials;

    public TimeProvider Clock => world.Clock;

    /// <summary>The tables that rules look into.</summary>
    public AccessTables Tables => world.Tables;

    /// <summary>The services that rules ask; none is asked in a dry run.</summary>
    public PolicyServices Services => world.Services;

    /// <summary>What logins do otherwise.</summary>
    public ILoginWatch Watch => world.Watch;

    /// <summary>Somebody asks in advance: no message hangs on it, and nobody else is to hear of it.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>The pattern of a table counts as if <c>dunno</c> stood behind it (<see cref="Explaining.MendedWorld"/>).</summary>
    public bool IsWaived(string path, string pattern) => world.Waived.Contains((path, pattern));

    /// <summary>A list of this name can be asked here.</summary>
    public bool HasList(string name, RuleStage stage) => world.Classes.WhyNot(name, stage) is null;

    /// <summary>
    /// What DNS says of names and addresses; <see cref="UnknownNames"/> where nobody asks: it says nothing of what was decided before.
    /// </summary>
    public INameLookup Names => question.Recorded is null && world.Names is { } names ? names : UnknownNames.Instance;

    /// <summary>What is said of the client as a device; null where it is none.</summary>
    public DeviceTerms? Device => options.Devices.Find(Facts.Listener, Facts.Client);

    /// <summary>The configured network, or that of a file, that trusts this client for any sender; null when none.</summary>
    /// <exception cref="IOException">A file could never be read.</exception>
    public ValueTask<IPNetwork?> FindTrustedNetworkAsync(CancellationToken ct) =>
        options.Trusted.TryFind(Facts.Client, out var network, out _) ? new(network)
            : options.NetworkFiles.IsEmpty ? default
            : FindInFilesAsync(ct);

    private async ValueTask<IPNetwork?> FindInFilesAsync(CancellationToken ct)
    {
        foreach (var file in options.NetworkFiles)
        {
            if ((await world.Tables.FindNetworksAsync(file, ct)).TryFind(Facts.Client, out var network, out _))
                return network;
        }

        return null;
    }

    /// <summary>The account of the login as it is now, not as it was at AUTH; null when nobody is logged in or it is gone.</summary>
    public async ValueTask<Account?> FindAccountAsync(CancellationToken ct)
    {
        if (!knowsAccount)
        {
            account = Facts.Login is { } login ? await directory.FindAccountAsync(login, ct) : null;
            knowsAccount = true;
        }

        return account;
    }

    /// <summary>Why the client sends nothing for now, whatever the lists say; null where it may.</summary>
    public Suspension? FindSuspension() => world.Suspended.Find(Facts, Clock.GetUtcNow(), world.Resumed);

    /// <summary>The credential that proved the login, as it is now; null where there is none, or it is there no more.</summary>
    public ValueTask<StoredCredential?> FindCredentialAsync(CancellationToken ct) =>
        Facts is { Credential: { } id, ProvenBy: { } owner } ? directory.FindCredentialAsync(owner, id, ct) : default;

    /// <summary>
    /// The account that has the address, or is named by it, whichever listener it logs in on; null when there is none.
    /// </summary>
    public async ValueTask<string?> FindOwnerAsync(Mailbox address, CancellationToken ct) =>
        await world.Everybody.FindOwnerAsync(address, ct)
            ?? (LoginNames.TryCanonical(address.Address, out var name) ? (await world.Everybody.FindAccountAsync(name, ct))?.Name : null);

    /// <summary>The network through which this client may send for the sender's domain; null when none, and for the null sender.</summary>
    public ValueTask<IPNetwork?> FindAllowedNetworkAsync(CancellationToken ct) =>
        Sender.Mailbox is { } mailbox ? directory.FindNetworkAsync(Facts.Client, mailbox.Domain, ct) : default;

    /// <summary>The domain is known here, as a sender domain or as one whose recipients are accepted.</summary>
    public ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct) =>
        options.Domains.Contains(domain) ? new(true) : directory.IsListedAsync(domain, ct);

    /// <summary>
    /// What the recipient comes to as the address of a sender whose mail was forwarded from here; null where it is no such address.
    /// </summary>
    public SrsAnswer? Rewritten => Recipient is { } recipient ? options.Srs?.Read(recipient, Clock.GetUtcNow()) : null;

    /// <summary>Why the recipient gets no mail of whoever sends; null where it does.</summary>
    public ValueTask<Suppression?> FindSuppressionAsync(Mailbox recipient, CancellationToken ct) =>
        world.Suppressions?.FindSuppressionAsync(Facts.Tenant, recipient, ct) ?? default;

    /// <summary>Recipients of the domain are accepted from anyone.</summary>
    public ValueTask<bool> AcceptsAsync(Domain domain, CancellationToken ct) =>
        options.Domains.Contains(domain) ? new(true) : directory.AcceptsRecipientsAsync(domain, ct);
}

/// <summary>What the rules are asked about.</summary>
/// <param name="Recipient">Null at MAIL, and for the message as a whole.</param>
public sealed record PolicyQuestion(EnvelopeFacts Facts, ReversePath Sender, Mailbox? Recipient = null)
{
    /// <summary>Null before the header section has come, and in a dry run.</summary>
    public HeaderFacts? Header { get; init; }

    /// <summary>What MAIL said beside the sender; null while MAIL itself is asked about, and in a dry run.</summary>
    public MailParameters? Parameters { get; init; }

    /// <summary>The verb behind which the client sent more where it had to wait (<see cref="SessionState.PipelinedBehind"/>).</summary>
    public string? PipelinedBehind { get; init; }

    /// <summary>All that were accepted; empty before the header section has come, and in a dry run.</summary>
    public ImmutableArray<Mailbox> Recipients { get; init; } = [];

    /// <summary>What rules answered that cannot be asked again; null but in a replay.</summary>
    internal RecordedAnswers? Recorded { get; init; }
}

/// <summary>What the rules may look at beside the question.</summary>
/// <param name="DirectoryOf">The accounts that count on a listener.</param>
internal sealed record PolicyWorld(
    PolicyOptions Options, Func<string, IDirectory> DirectoryOf, ICounters Counters, TimeProvider Clock, LimitNews? News = null)
{
    /// <summary>The accounts that count on some listener.</summary>
    public required IDirectory Everybody { get; init; }

    /// <summary>Null where there is no such list.</summary>
    public ISuppressions? Suppressions { get; init; }

    /// <summary>Null where nobody counts them.</summary>
    public RuleTrials? Trials { get; init; }

    public required AccessTables Tables { get; init; }

    public required PolicyServices Services { get; init; }

    public required RuleClasses Classes { get; init; }

    /// <summary>What DNS says of names; null where nobody asks.</summary>
    public INameLookup? Names { get; init; }

    /// <summary>Who sends nothing for now.</summary>
    public ISuspendedSenders Suspended { get; init; } = NobodySuspended.Instance;

    /// <summary>What logins do otherwise.</summary>
    public ILoginWatch Watch { get; init; } = NobodyWatches.Instance;

    /// <summary>Who may send again, for the sake of a trial; null for nobody.</summary>
    public IReadOnlySet<(SuspendedKind Of, string Name)>? Resumed { get; init; }

    /// <summary>Patterns of access tables that say nothing, for the sake of a trial.</summary>
    public IReadOnlySet<(string Path, string Pattern)> Waived { get; init; } = ImmutableHashSet<(string Path, string Pattern)>.Empty;
}
