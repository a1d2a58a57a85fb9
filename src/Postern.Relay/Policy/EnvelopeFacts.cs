using System.Collections.Immutable;
using System.Net;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Envelopes;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Policy;

/// <summary>
/// What is known about a client when the policy is asked: copied from a session, or put together for a dry run. Nothing here is
/// trusted because of what the client said about itself.
/// </summary>
public sealed record EnvelopeFacts
{
    /// <summary>What a client speaks of whom only that is known.</summary>
    internal const string UsualTls = "TLSv1.3";

    private readonly IPAddress client = IPAddress.None;

    /// <summary>The session's id; empty in a dry run.</summary>
    public string Session { get; init; } = string.Empty;

    public required string Listener { get; init; }

    /// <summary>Kept as IPv4 when it came IPv4-mapped, so that one client has one spelling.</summary>
    public required IPAddress Client
    {
        get => client;
        init => client = value.IsIPv4MappedToIPv6 ? value.MapToIPv4() : value;
    }

    /// <summary>The client's; null where it is not known.</summary>
    public int? Port { get; init; }

    public string? Helo { get; init; }

    /// <summary>TLSv1.3 and so on; null without TLS.</summary>
    public string? Tls { get; init; }

    /// <summary>SHA-256 of the certificate that the client showed, 64 lower-case hexadecimal digits; null for none.</summary>
    public string? Certificate { get; init; }

    /// <summary>The authorization id in canonical form; null without a login. An ANONYMOUS login is none: it proves nothing.</summary>
    public string? Login { get; init; }

    /// <summary>Whose credential the login is: the same account, unless it acts for another. Null without a login.</summary>
    public string? ProvenBy { get; init; }

    /// <summary>
    /// The number of the credential that proved it, <c>#7</c>; null where it is none of the directory, and without a login.
    /// </summary>
    public string? Credential { get; init; }

    /// <summary>Whose account that login is, of those that share the server; null for nobody's in particular.</summary>
    public string? Tenant { get; init; }

    /// <summary>A user of this machine, as the system says, who left a message by <c>postern sendmail</c>.</summary>
    public bool IsSystemUser { get; init; }

    /// <summary>AUTH is on offer here and now.</summary>
    public bool OffersAuth { get; init; }

    /// <summary>AUTH would be on offer after STARTTLS.</summary>
    public bool OffersAuthAfterTls { get; init; }

    /// <summary>What no rule decides by, for services that are asked.</summary>
    public ConnectionFacts Connection { get; init; } = ConnectionFacts.None;

    /// <summary>Of a client that somebody asks about.</summary>
    /// <param name="offer">What its listener offers it; it has the name and the state of TLS too.</param>
    /// <param name="login">In any spelling; null without a login.</param>
    public static EnvelopeFacts Of(ListenerOffer offer, IPAddress client, string? login) => new()
    {
        Listener = offer.Listener,
        Client = client,
        Tls = offer.IsTls ? UsualTls : null,
        Login = login is not null && LoginNames.TryCanonical(login, out var canonical) ? canonical : login,
        OffersAuth = login is null && offer.OffersAuth,
        OffersAuthAfterTls = login is null && offer.OffersAuthAfterTls,
    };

    public static EnvelopeFacts Of(SessionState session) => new()
    {
        Session = session.Id,
        Listener = session.Listener,
        Client = session.ClientAddress,
        Port = session.ClientPort > 0 ? session.ClientPort : null,
        Helo = session.HeloName,
        Tls = session.Tls?.Version,
        Certificate = session.Tls?.ClientCertificate?.Fingerprint,
        Login = session.Login,
        ProvenBy = session.LoginProvenBy,
        Credential = session.Credential,
        Tenant = LoginFacts.TenantOf(session),
        IsSystemUser = LoginFacts.IsOfSystemUser(session),
        OffersAuth = session.OffersAuth,
        OffersAuthAfterTls = session.OffersAuthAfterTls,
        Connection = ConnectionFacts.Of(session),
    };
}

/// <summary>What a message says about itself in its header section, as it came: nothing in it is proven.</summary>
/// <param name="From">The field From, without line ends; null where there is none.</param>
/// <param name="Hops">How many Received fields it has.</param>
public sealed record HeaderFacts(string? From, string? MessageId, int Hops)
{
    /// <summary>
    /// Whoever logged in may not send as what it says of the author: every address of each From field counts, and one that does not read
    /// is nobody's. False without a From field, as the sender is the author then; null where it is not known.
    /// </summary>
    public bool? HasForeignAuthor { get; init; }

    /// <summary>The newest field Resent-From, without line ends; null where there is none.</summary>
    public string? ResentFrom { get; init; }

    /// <summary>The same of whom the newest Resent-From names as the one who sends it on; those below it are of earlier senders.</summary>
    public bool? HasForeignResender { get; init; }

    /// <summary>The first field Subject, without line ends; null where there is none, or it is not known.</summary>
    public string? Subject { get; init; }

    /// <summary>The field Sender, without line ends; null where there is none.</summary>
    public string? Sender { get; init; }

    /// <summary>The fields that name a tenant, and what they say; default or empty where there are none.</summary>
    public ImmutableArray<(string Field, string Name)> Tenants { get; init; }

    /// <summary>The same of a Sender field that would stay as it is: <c>sender_field: keep</c>, and nobody sent it on.</summary>
    public bool? HasForeignSender { get; init; }

    /// <summary>The addresses in a From or Sender field that read.</summary>
    /// <param name="isWhole">It is a list of mailboxes, and these are all of them.</param>
    internal static List<Mailbox> MailboxesIn(string? text, out bool isWhole)
    {
        var (authors, count) = (new List<Mailbox>(), 0);
        var mailboxes = new MailboxList(Encoding.UTF8.GetBytes(text ?? string.Empty));
        while (mailboxes.TryNext())
        {
            count++;
            if (Mailbox.TryParse(Encoding.UTF8.GetString(mailboxes.Address), out var author))
                authors.Add(author);
        }

        isWhole = mailboxes.IsWhole && count > 0 && count == authors.Count;
        return authors;
    }
}
