using System.Collections.Immutable;
using System.Net;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Dkim;
using Postern.Relay.DovecotAuth;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Rules;
using Postern.Relay.Policy.Services;
using Postern.Relay.Policy.Watching;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>
/// All that one configuration says, made ready: stores and verifiers, the policy, what each listener offers. The server decides by it, and
/// so does whoever asks what the server would decide: there is no second derivation. Nothing in it changes; a new configuration is a new
/// snapshot.
/// </summary>
public sealed class RelaySnapshot : IDisposable
{
    private readonly SmtpServerOptions server;
    private readonly DkimSigner signer;
    private readonly IDisposable? files;
    private readonly PolicyServices services;

    private RelaySnapshot(RelayOptions options, AccountFoundation foundation, IDisposable? files, ICounters? counters)
    {
        this.files = files;
        signer = new DkimSigner(foundation.Directory, options.Dkim, tell: static (_, _) => { });
        Options = options;
        Accounts = new RelayAccounts(
            options.Accounts,
            foundation,
            [.. options.Listeners.Select(static l => l.Name), .. options.AuthListeners.Select(static l => l.Name)]);
        var policy = options.Policy with
        {
            Configuration = options.Id,
            Recipients = new ListedRecipients(options.Delivery.Aliases, options.Delivery.Routes),
        };
        var delivery = options.Delivery with { Instruments = foundation.Instruments?.Delivery };
        var names = new DnsNames(DnsCache.Of(delivery, foundation.Clock));
        services = new PolicyServices(foundation.Clock)
        {
            Recipients = new VerifiedRecipients(new RecipientProbe(delivery, foundation.Clock), foundation.Clock),
        };
        Policy = PolicyOf(policy);
        LocalPolicy = PolicyOf(options.Local.In(policy));
        server = new SmtpServerOptions
        {
            Hostname = options.Hostname,
            Listeners = [.. options.Listeners.Select(AsOffered)],
            Tls = options.Tls,
            Policy = Policy,
            MailboxVerifier = new OwnMailboxes(DirectoryOf),
            Sasl = Accounts.Context,
            ClientCertificateUsers = Accounts.Certificates,
            Limits = options.Limits,
            MaxConnections = options.MaxConnections,
            MaxConnectionsPerAddress = options.MaxConnectionsPerAddress,
            MaxMemory = options.MaxMemory,
            Clock = foundation.Clock,
        };

        AuthServices = [.. options.AuthListeners.Select(listener => ServiceOf(listener, foundation.Clock))];

        RelayPolicy PolicyOf(PolicyOptions rules) =>
            new(rules, Accounts.Directory, foundation.Audit, foundation.Clock, counters, DirectoryOf, foundation.Directory, names)
            {
                Services = services,
                Durations = foundation.Instruments?.Policy.Durations,
                Suspended = foundation.Suspended,
                Watch = (ILoginWatch?)foundation.Watch ?? NobodyWatches.Instance,
            };
    }

    public RelayOptions Options { get; }

    /// <summary>A short hash of what the configuration means, which stands in every decision.</summary>
    public string Id => Options.Id ?? "-";

    public RelayAccounts Accounts { get; }

    public RelayPolicy Policy { get; }

    /// <summary>The same for messages of this machine's own users.</summary>
    internal RelayPolicy LocalPolicy { get; }

    /// <summary>The server's part, without what only a running relay has: a store for messages, events, gauges.</summary>
    internal SmtpServerOptions Server => server;

    /// <summary>What other servers are answered, by listener.</summary>
    internal ImmutableArray<AuthService> AuthServices { get; }

    /// <summary>The names of all listeners.</summary>
    public IEnumerable<string> ListenerNames =>
        [.. Options.Listeners.Select(static l => l.Name), .. Options.AuthListeners.Select(static l => l.Name)];

    /// <summary>
    /// Makes everything ready that <paramref name="options"/> say, on what lasts. The caller disposes it when nobody uses it any more.
    /// </summary>
    /// <param name="files">What the options hold that is to be disposed with the snapshot, such as keys; null for nothing.</param>
    /// <param name="counters">What the rules count in; null where that is not known.</param>
    /// <exception cref="ArgumentException">The options hold a mistake; the message says which.</exception>
    public static RelaySnapshot Compile(
        RelayOptions options,
        AccountFoundation foundation,
        ICounters? counters,
        IDisposable? files = null) => new(options, foundation, files, counters);

    /// <summary>What a listener offers to a client that is not logged in, by the code that answers EHLO.</summary>
    /// <param name="listener">Its name; null for the first.</param>
    /// <param name="isTls">The connection is encrypted.</param>
    /// <param name="hasCertificate">The client showed a certificate.</param>
    /// <param name="tiesTheConnection">The connection has what the -PLUS mechanisms bind to.</param>
    /// <param name="usual">What all its users can use, where that is not what the stores of this snapshot say; null where it is.</param>
    /// <returns>Null where there is no listener of that name.</returns>
    public ListenerOffer? OfferOn(
        string? listener, bool isTls, bool hasCertificate = false, bool tiesTheConnection = false, ImmutableArray<string>? usual = null)
    {
        var one = Options.Listeners.FirstOrDefault(
            l => listener is null || string.Equals(l.Name, listener, StringComparison.OrdinalIgnoreCase));
        return one is null
            ? null
            : ListenerOffer.Of(server, AsOffered(one, usual), isTls || one.Tls == TlsMode.Implicit, hasCertificate, tiesTheConnection);
    }

    /// <summary>The mechanisms by which a client can log in on any listener, another server's client included.</summary>
    /// <inheritdoc cref="OfferOn"/>
    public ImmutableArray<string> MechanismsOn(string listener, bool isTls, ImmutableArray<string>? usual = null)
    {
        var index = Options.AuthListeners.ToList().FindIndex(l => l.Name.Equals(listener, StringComparison.OrdinalIgnoreCase));
        if (index < 0)
            return OfferOn(listener, isTls, hasCertificate: isTls, tiesTheConnection: isTls, usual)?.Mechanisms ?? [];
        var service = AuthServices[index];
        return [.. service.TakenFrom(isTls, usual is { } common ? common : service.Usual).Select(static m => m.Name)];
    }

    /// <summary>What would be known of a client that somebody asks about.</summary>
    /// <inheritdoc cref="EnvelopeFacts.Of(ListenerOffer, IPAddress, string?)"/>
    public async ValueTask<EnvelopeFacts> FactsOfAsync(ListenerOffer offer, IPAddress client, string? login, CancellationToken ct)
    {
        var facts = EnvelopeFacts.Of(offer, client, login);
        if (facts.Login is not { } name)
            return facts;
        try
        {
            return facts with { Tenant = (await DirectoryOf(offer.Listener).FindAccountAsync(name, ct))?.Tenant };
        }
        catch (DirectoryUnavailableException)
        {
            return facts; // the rules find out, and say so
        }
    }

    /// <summary>What would be known of the header of a message whose From field says this, by the code that reads messages.</summary>
    /// <param name="from">Behind the colon; an empty text for a message without the field.</param>
    public async ValueTask<HeaderFacts> HeaderOfAsync(EnvelopeFacts facts, ReversePath sender, string from, CancellationToken ct)
    {
        Submitter? submitter = null;
        try
        {
            if (facts.Login is { } login)
                submitter = new Submitter(
                    login, await DirectoryOf(facts.Listener).FindAccountAsync(login, ct), sender.Mailbox, IsUtf8: true);
        }
        catch (DirectoryUnavailableException)
        {
            return new HeaderFacts(from, MessageId: null, Hops: 0); // the rules find out, and say so
        }

        var section = Encoding.UTF8.GetBytes(from.Length == 0 ? string.Empty : $"From: {from.ReplaceLineEndings(" ")}\r\n");
        var review = HeaderReview.Of(section, string.Empty, isSubmission: true, submitter);
        return new HeaderFacts(HeaderReview.TextOf(section, review.FromField), MessageId: null, review.Hops)
        {
            HasForeignAuthor = submitter is null ? null : review.HasFrom && review.HasForeignAuthor,
        };
    }

    /// <summary>
    /// The keys that would sign a message (DKIM), by the names of their DNS records, where its author has the domain of its sender; null
    /// for none.
    /// </summary>
    /// <param name="permittedBy">The rule that permits its recipient.</param>
    /// <exception cref="DecorationUnavailableException">It is not sent unsigned, and cannot be signed.</exception>
    public ValueTask<string?> WouldSignAsync(Envelope envelope, string permittedBy, CancellationToken ct) =>
        signer.WouldSignAsync(
            envelope with { IsInbound = envelope.Login is null && permittedBy == RejectUnauthDestination.Word },
            envelope.Sender.Mailbox is { Domain: { Literal: null, Text: var domain } } ? domain : null,
            ct);

    public void Dispose()
    {
        Accounts.Dispose();
        services.Dispose();
        files?.Dispose();
    }

    /// <summary>The accounts that count on a listener.</summary>
    internal IDirectory DirectoryOf(string listener) => Accounts.On(listener).Directory;

    /// <summary>What a listener offers now that names no mechanisms: what all users can use whom it knows.</summary>
    internal ImmutableArray<string> UsualOn(SmtpListenerOptions listener) =>
        [.. Accounts.On(listener.Name).Verifiers.UsualMechanisms.Except(listener.WithoutMechanisms, StringComparer.OrdinalIgnoreCase)];

    private AuthService ServiceOf(AuthListenerOptions listener, TimeProvider clock)
    {
        var accounts = Accounts.On(listener.Name);
        return new AuthService(
            listener,
            accounts.Context with { Hostname = Options.Hostname },
            accounts.Verifiers.IdentifyAsync,
            () => accounts.Verifiers.UsualMechanisms,
            clock);
    }

    private SmtpListenerOptions AsOffered(SmtpListenerOptions listener) => AsOffered(listener, usual: null);

    private SmtpListenerOptions AsOffered(SmtpListenerOptions listener, ImmutableArray<string>? usual)
    {
        var accounts = Accounts.On(listener.Name);
        var known = listener with { Sasl = accounts.Context, ClientCertificateUsers = accounts.Certificates };
        return listener.Mechanisms is not null
            ? known
            : known with { Mechanisms = usual ?? UsualOn(listener), WithholdsUnboundPlus = true };
    }
}
