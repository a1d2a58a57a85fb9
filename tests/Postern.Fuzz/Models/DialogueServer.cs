using System.Net;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Smtp.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Fuzz.Models;

/// <summary>One listener that serves streams one after the other, and what it stored and noticed since <see cref="Begin"/>.</summary>
internal sealed class DialogueServer : IEnvelopePolicy, IMessageStore, ISmtpEvents
{
    private readonly Func<string, bool> suits;
    private readonly SmtpServer server;
    private readonly SmtpListenerOptions listener;

    private DialogueServer(Func<string, bool> suits, TlsMode tls, SessionLimits limits, MailProtocol protocol = MailProtocol.Smtp, BareNewlines bareNewlines = BareNewlines.Reject)
    {
        this.suits = suits;
        Rules = new DialogueRules(limits.SaslOctets, limits.MessageOctets, bareNewlines == BareNewlines.Normalize, protocol == MailProtocol.Lmtp);
        var passwords = new TestPasswords("alice:secret");
        var options = new SmtpListenerOptions
        {
            Name = "fuzz",
            Endpoints = [],
            Tls = tls,
            Auth = tls == TlsMode.None ? AuthMode.Always : AuthMode.TlsOnly,
            Protocol = protocol,
            BareNewlines = bareNewlines,
            XClientFrom = protocol == MailProtocol.Lmtp ? null : [IPNetwork.Parse("127.0.0.0/8")],
            XForwardFrom = [IPNetwork.Parse("127.0.0.0/8")],
            XVerpFrom = [IPNetwork.Parse("127.0.0.0/8")],
        };
        server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [options],
            Policy = this,
            Store = this,
            Events = this,
            Tls = new TlsOptions(TestCertificate.Instance),
            Sasl = new SaslContext { Passwords = passwords, Grants = passwords },
            Limits = limits,
        });
        listener = options;
    }

    public DialogueRules Rules { get; }

    /// <summary>Hashes of the messages that were committed, in order.</summary>
    public List<ulong> Stored { get; } = [];

    public int OpenDrafts { get; private set; }

    public Exception? Fault { get; private set; }

    public static DialogueServer[] All() =>
    [
        new(static setup => !setup.Contains("tls:", StringComparison.Ordinal), TlsMode.None, new SessionLimits { BadCommands = 1000, Refusals = 1000, FailedLogins = 1000 }),
        new(static setup => setup.Contains("starttls", StringComparison.OrdinalIgnoreCase), TlsMode.StartTls, new SessionLimits()),
        new(static setup => setup.Contains("required", StringComparison.OrdinalIgnoreCase), TlsMode.Required, new SessionLimits()),

        // Every limit within reach of a short input.
        new(static setup => setup.Length == 0, TlsMode.None, new SessionLimits
        {
            CommandOctets = 100,
            SaslOctets = 160,
            MessageOctets = 300,
            Recipients = 3,
            BadCommands = 5,
            Refusals = 8,
            FailedLogins = 3,
            CommandsPerMessage = 20,
        }),
        new(static setup => setup.Contains("lmtp", StringComparison.OrdinalIgnoreCase), TlsMode.None, new SessionLimits { MessageOctets = 400 }, MailProtocol.Lmtp),
        new(static setup => setup.Contains("normalize", StringComparison.OrdinalIgnoreCase), TlsMode.None, new SessionLimits { MessageOctets = 400 }, bareNewlines: BareNewlines.Normalize),
    ];

    /// <summary>What a session may say for so much input: no reply is longer than 64 octets for each octet of its command, but for EHLO and HELP.</summary>
    public static int MaxOutput(int octets) => 2000 + (octets * 64);

    /// <summary>Holds one session to its end.</summary>
    public Task HoldAsync(Stream stream) => server.HoldAsync(stream, listener, IPAddress.Loopback, port: 4711);

    public bool Suits(string setup) => suits(setup);

    public StoreFeatures Honours =>
        StoreFeatures.DeliveryReports | StoreFeatures.Utf8 | StoreFeatures.RequireTls | StoreFeatures.DeliverBy | StoreFeatures.Hold | StoreFeatures.Binary;

    public void Begin()
    {
        Stored.Clear();
        OpenDrafts = 0;
        Fault = null;
    }

    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) =>
        new(sender.Mailbox?.LocalPart == "refused" ? new Verdict.Refuse(StandardReply.RelayDenied, "fuzz") : Verdict.Pass.Instance);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct) => new(recipient switch
    {
        { LocalPart: "full" } => new Verdict.Refuse(new Reply(452, new(4, 2, 2), "Mailbox full"), "fuzz"),
        { Domain.Text: "accepted.example" } => new Verdict.Permit("fuzz"),
        _ when session.IsLoggedIn => new Verdict.Permit("fuzz"),
        _ => Verdict.Pass.Instance,
    });

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct)
    {
        if (transaction.Sender.Mailbox?.LocalPart == "nospace")
            return new(new DraftAnswer.Refuse(new Reply(452, new(4, 3, 1), "No space")));
        OpenDrafts++;
        return new(new DraftAnswer.Open(new Draft(this)));
    }

    public void OnFault(SessionState session, Exception fault) => Fault = fault;

    private sealed class Draft(DialogueServer server) : IMessageDraft
    {
        private Signal content = new();

        public ValueTask AppendAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
        {
            content.Add(octets.Span);
            return ValueTask.CompletedTask;
        }

        public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
        {
            server.Stored.Add(content.Value);
            return new(new StoreOutcome.Stored("1"));
        }

        public ValueTask DisposeAsync()
        {
            server.OpenDrafts--;
            return ValueTask.CompletedTask;
        }
    }
}
