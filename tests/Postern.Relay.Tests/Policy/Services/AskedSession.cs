using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy.Services;

/// <summary>A transaction to b@foreign.test under rules that ask somebody, and what its client is answered.</summary>
internal sealed class AskedSession
{
    private readonly RecordingAuditLog audit = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The decision that was made last.</summary>
    public DecisionEvent Last => audit.Events.OfType<DecisionEvent>().Last();

    public static SessionState Session(string sender = "a@foreign.test", string? login = null, string helo = "client.example")
    {
        var session = new SessionState
        {
            Id = "0123456789ab",
            Listener = "submission",
            Hostname = "mail.example.org",
            ClientAddress = IPAddress.Parse(Judge.Stranger),
            ClientPort = 40123,
            ServerEndpoint = new IPEndPoint(IPAddress.Parse("192.0.2.25"), 587),
            HeloName = helo,
            IsExtended = true,
            Tls = new TlsFacts(System.Security.Authentication.SslProtocols.Tls13, "TLS_AES_256_GCM_SHA384", null),
            Identity = login is null ? null : new Postern.Sasl.SaslIdentity(login, login),
            Mechanism = login is null ? null : "PLAIN",
        };
        session.Transaction = new Transaction(Judge.Path(sender), new MailParameters { DeclaredSize = 12345, SubmittedBy = Judge.Path("boss@example.org") });
        return session;
    }

    /// <summary>With a list <c>strict</c> that rejects.</summary>
    public RelayPolicy Policy(string[] recipient, string[]? sender = null, string[]? message = null, string[]? client = null, TimeProvider? clock = null) => new(
        new PolicyOptions
        {
            ClientRules = Entries(client),
            SenderRules = Entries(sender),
            RecipientRules = Entries(recipient),
            MessageRules = Entries(message),
            Classes = ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>>.Empty.Add("strict", ["reject"]),
        },
        new Judge().Directory,
        audit,
        clock ?? new ManualClock());

    /// <summary>What the recipient is answered, without the reference; null where it is permitted.</summary>
    public static async Task<string?> ReplyAsync(RelayPolicy policy, SessionState? session = null)
    {
        session ??= Session();
        var verdict = await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct);
        if (verdict is not Verdict.Refuse)
            verdict = await policy.OnRecipientAsync(session, Mailbox.Parse("b@foreign.test"), Ct);
        return verdict is Verdict.Refuse(var reply, _) ? reply.ToString()[..reply.ToString().LastIndexOf(" (ref ", StringComparison.Ordinal)] : null;
    }

    public static async Task<MessageEffect[]> EffectsAsync(RelayPolicy policy, SessionState session) =>
        [.. (await policy.OnMessageAsync(session, session.Transaction!.Sender, new HeaderFacts("Lisa <lisa@example.org>", "<1@example.org>", 0), Ct)).Effects];

    private static ImmutableArray<RuleEntry> Entries(string[]? rules) => [.. (rules ?? []).Select(RuleEntry.Parse)];
}
