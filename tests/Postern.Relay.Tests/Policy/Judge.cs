using System.Net;
using Postern.Relay.Policy;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Policy;

/// <summary>A policy over a small known world, and short ways to ask it.</summary>
internal sealed class Judge
{
    public const string Stranger = "203.0.113.9";
    public const string Trusted = "10.1.2.3";
    public const string Allowed = "10.2.3.4";

    public Judge(PolicyOptions? options = null)
    {
        Options = options ?? new PolicyOptions { Networks = [IPNetwork.Parse("10.1.0.0/16")] };
        Policy = new RelayPolicy(Options, Directory, Audit, TimeProvider.System);
    }

    public PolicyOptions Options { get; }

    public FakeDirectory Directory { get; } = new FakeDirectory()
        .Add("alice", addresses: ["alice@example.org"])
        .Add("mailer", domains: ["example.org"])
        .Add("nothing")
        .Add("carol", addresses: ["carol@example.org"], enabled: false)
        .Add("dave", addresses: ["dave@unlisted.example"])
        .List("example.org", accept: true)
        .List("other.example")
        .Allow("10.2.0.0/16", "example.org");

    public RecordingAuditLog Audit { get; } = new();

    public RelayPolicy Policy { get; }

    public static ReversePath Path(string address) => address.Length == 0 ? ReversePath.Null : new ReversePath(Mailbox.Parse(address));

    public static EnvelopeFacts Facts(string client = Stranger, string? login = null, bool auth = false, bool authAfterTls = false) => new()
    {
        Listener = "submission",
        Client = IPAddress.Parse(client),
        Helo = "client.example",
        Login = login,
        OffersAuth = auth,
        OffersAuthAfterTls = authAfterTls,
    };

    public static SessionState Session(string client = Stranger, string? login = null, bool auth = false, string mechanism = "PLAIN", string listener = "submission") => new()
    {
        Id = "s1",
        Listener = listener,
        Hostname = "mail.example.org",
        ClientAddress = IPAddress.Parse(client),
        HeloName = "client.example",
        Identity = login is null ? null : new SaslIdentity(login, login),
        Mechanism = login is null ? null : mechanism,
        OffersAuth = auth,
    };

    /// <summary>The session with MAIL accepted, as the SMTP session sets it.</summary>
    public static SessionState WithSender(SessionState session, string sender)
    {
        session.Transaction = new Transaction(Path(sender), MailParameters.None);
        return session;
    }

    public async Task<Decision> DecideAsync(EnvelopeFacts facts, string from, string to) =>
        await Policy.DryRunAsync(facts, Path(from), Mailbox.Parse(to), TestContext.Current.CancellationToken);

    /// <summary><c>permit rule</c> or <c>code rule</c>.</summary>
    public async Task<string> OutcomeAsync(EnvelopeFacts facts, string from, string to) => Outcome(await DecideAsync(facts, from, to));

    public static string Outcome(Decision decision) => $"{decision.Reply?.Code.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "permit"} {decision.Rule}";
}
