using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Web.Documents;
using Postern.Web.Pages;
using Postern.Web.Parts;

namespace Postern.Web.Tests.Pages;

/// <summary>What pages are shown with. Every text that can come from elsewhere goes through one function, which may make it hostile.</summary>
internal sealed class Samples(Func<string, string> say)
{
    public static readonly DateTimeOffset Now = new(2026, 11, 30, 21, 4, 12, TimeSpan.Zero);

    public const string Id = "01KBAYZ3TE4V6W8Y0A2C4E6G8J";

    private static readonly string[] Domains = ["example.net", "gmail.example", "outlook.example", "example.com", "lists.example.org", "example.edu"];

    private static readonly string[] People = ["lisa", "bart", "homer", "marge", "maggie", "ned", "apu", "moe"];

    private readonly string busy = say("450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages");

    public PageFrame Frame { get; } = new(Now, say("mail.example.org"), new State("running", Tone.Good))
    {
        Who = say("anna"),
        Role = "operator",
        Zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), "test", "test"),
        Token = new FormToken("__token", "CfDJ8token"),
    };

    public PageFrame Stale => Frame with { StaleSince = Now.AddMinutes(-3), State = new("not known", Tone.Warn) };

    private EventOrigin Origin => new("s-4711", "submission", "2001:db8:7::1f")
    {
        Helo = say("laptop-von-anna"),
        User = say("app@example.org"),
        Tls = "TLSv1.3",
        Cipher = "TLS_AES_256_GCM_SHA384",
        Sni = say("mail.example.org"),
        Tenant = say("mytenant"),
    };

    public AcceptedEvent Accepted => new(
        Now.AddMinutes(-18), Origin, Id, say("app@example.org"), [say("lisa@example.com"), say("bart@example.net"), say("homer@example.edu")], 48_213)
    {
        MessageId = say("<20261130204601.4711@app.example.org>"),
        HeaderFrom = say("Example App <app@example.org>"),
        Subject = say("Your order 4711"),
        Source = MessageSource.Smtp,
        Refs = ["K7M3Q9"],
    };

    public DecisionEvent Permitted => Decision("K7M3Q9", DecisionOutcome.Permit, say("lisa@example.com"));

    public DecisionEvent Refused => Decision("7QW4T2", DecisionOutcome.Refuse, say("stranger@example.edu"));

    public MessageDocument Document()
    {
        var deliveries = ImmutableArray.Create(
            Delivery(-17, "lisa@example.com", DeliveryOutcome.Delivered, 1, "250 2.0.0 OK 1764535521 a7-20020a05sm", null, null),
            Delivery(-17, "bart@example.net", DeliveryOutcome.Deferred, 1, busy, "4.2.1", "mailbox_busy"),
            Delivery(
                -17,
                "homer@example.edu",
                DeliveryOutcome.Failed,
                1,
                say("550 5.7.26 This mail is unauthenticated: SPF did not pass, DKIM did not pass"),
                "5.7.26",
                "authentication"),
            Delivery(-2, "bart@example.net", DeliveryOutcome.Deferred, 2, busy, "4.2.1", "mailbox_busy"));
        var others = ImmutableArray.Create<AuditEvent>(
            new AdminEvent(Now.AddMinutes(-9), say("anna"), "queue retry", Id) { Via = AdminDoor.Console, Client = "192.0.2.9" },
            new ServerEvent(Now.AddMinutes(-1), "slow_next_hop", say("mx.example.net answered after 31 s")) { QueueId = Id });
        var queued = Item(0) with
        {
            Id = Id, Attempts = 2, NextAttempt = Now.AddMinutes(14), State = "deferred", Recipients =
            [
                new(say("lisa@example.com"), "delivered", say("250 2.0.0 OK 1764535521 a7-20020a05sm"), null, null),
                new(say("bart@example.net"), "pending", busy, null, null),
                new(say("homer@example.edu"), "failed", say("550 5.7.26 This mail is unauthenticated: SPF did not pass, DKIM did not pass"), null, null),
            ],
        };
        var accepted = Accepted;
        AuditEvent[] events = [.. deliveries.Concat(others).OrderBy(static e => e.At)];
        var fates = MessageFates.Of(accepted, events, queued);
        return new MessageDocument
        {
            Id = Id,
            Summary = MessageSummary.Of(fates, 0, queued, static at => TimeWords.Relative(at, Now)),
            Accepted = accepted,
            Login = new LoginEvent(Now.AddMinutes(-18).AddSeconds(-2), Origin, "SCRAM-SHA-256-PLUS", AuthOutcome.Ok, "password")
            {
                Credential = "#7",
            },
            Recipients = fates,
            Decisions = [Permitted],
            Deliveries = deliveries,
            Reports = [new BounceEvent(Now.AddMinutes(-17), Id, "01KBAYZ9C0000000000000000R", say("app@example.org"), say("homer@example.edu failed"))],
            Others = others,
            Queue = queued,
        };
    }

    public ImmutableArray<HeaderLine> Headers =>
    [
        new("Received", say("from laptop-von-anna (unknown [IPv6:2001:db8:7::1f]) by mail.example.org with ESMTPSA"), true),
        new("From", say("Example App <app@example.org>"), false),
        new("Subject", say("=?utf-8?B?WW91ciBvcmRlcg==?="), false),
        new(say("X-Tag"), say("spring sale"), false),
        new("DKIM-Signature", say("v=1; a=ed25519-sha256; d=example.org; s=2026b; c=relaxed/relaxed; h=from:to:subject:date"), false),
    ];

    public QueueItem Item(int n) => new()
    {
        Id = QueueIdOf(n),
        ArrivedAt = Now.AddMinutes(-4 - (37 * n)),
        State = (n % 5) switch { 0 or 3 => "deferred", 1 => "waiting", 2 => "held", _ => "suspended" },
        Sender = n == 4 ? string.Empty : say($"{People[n % 8]}@example.org"),
        Size = 3_120 + (n * 1_733),
        Login = say("app@example.org"),
        Tenant = say("mytenant"),
        Client = "192.0.2.17",
        Listener = "submission",
        Attempts = n % 5 == 1 ? 0 : 1 + (n % 4),
        NextAttempt = n % 5 == 2 ? null : Now.AddMinutes(2 + n),
        HeldReason = n % 5 == 2 ? say("too many recipients from a new login") : null,
        HeldRule = n % 5 == 2 ? "hold_new_logins" : null,
        Recipients =
        [
            new(say($"{People[(n + 3) % 8]}@{Domains[n % 6]}"), "pending", n % 5 == 1 ? null : busy, null, null),
            .. n % 7 == 0 ? [new QueueRecipient(say("second@example.com"), "pending", null, null, null)] : ImmutableArray<QueueRecipient>.Empty,
        ],
    };

    public QueueStatistics Statistics => new()
    {
        Messages = 1_284,
        Octets = 61_400_000,
        Waiting = 310,
        Deferred = 902,
        Held = 72,
        Oldest = Now.AddHours(-31),
        Destinations =
        [
            .. Domains.Select((domain, n) => new QueueDestination(
                say(domain), 640 >> n, n == 3 ? 0 : 500 >> n, Now.AddHours(-31 + (n * 5)), n == 3 ? null : n == 1 ? say("421 4.7.28 Our system has detected an unusual rate of mail from your IP address") : busy, n == 4)),
        ],
        MoreDestinations = 41,
    };

    public QueuePage QueuePage(int count) => new(1_284, [.. Enumerable.Range(0, count).Select(Item)]);

    public static QueueStatistics EmptyQueue { get; } = new()
    {
        Messages = 0, Octets = 0, Waiting = 0, Deferred = 0, Held = 0, Destinations = [], MoreDestinations = 0,
    };

    public MessageList Messages(int count) => new(
        [
            .. Enumerable.Range(0, count).Select(n => new MessageRow(
                Now.AddMinutes(-1 - (n * 7)), (n % 6) switch { 0 or 4 => "delivered", 1 => "deferred", 2 => "refused", 3 => "failed", _ => "waiting" })
            {
                Id = n % 6 == 2 ? null : QueueIdOf(n),
                Ref = n % 6 == 2 ? "7QW4T2" : null,
                Sender = n == 8 ? string.Empty : say($"{People[n % 8]}@example.org"),
                Recipient = say($"{People[(n + 3) % 8]}@{Domains[n % 6]}"),
                MoreRecipients = n % 9 == 4 ? 12 : 0,
                Login = say("app@example.org"),
                Client = "192.0.2.17",
                Rule = n % 6 == 2 ? say("reject_sender_login_mismatch") : null,
                LastReply = (n % 6) switch
                {
                    0 or 4 => say("250 2.0.0 OK 1764535521"),
                    1 => busy,
                    2 => say("553 5.7.1 <app@example.org>: Sender address rejected: not owned by user (ref 7QW4T2)"),
                    3 => say("550 5.1.1 <nobody@example.net>: Recipient address rejected: User unknown"),
                    _ => null,
                },
            }),
        ],
        "mail-2026-11-29:48213",
        null);

    public OverviewView Overview => new()
    {
        Problems = ImmutableArray.Create(
            new OpenProblem(new("critical", Tone.Bad), say("store ldap does not answer: logins get 454"), say("ldap://ldap.example.org: connection refused. Start it, or look at the network."), "/logins?outcome=unavailable")
            {
                Since = Now.AddMinutes(-6),
            },
            new OpenProblem(new("warning", Tone.Warn), say("mail to example.net waits: 640 recipients, the oldest for 31 h"), say("Look at the last reply; hold or retry there."), "/queue?to=example.net")
            {
                Since = Now.AddHours(-2),
            }),
        Traffic = Traffic(),
        Queue = Statistics,
        Logins = new LoginFigures(18_204, 213, Now.AddHours(-6), 4),
        Certificates = ImmutableArray.Create(new CertificateFigures(say("mail.example.org"), Now.AddDays(52), false)),
        Load = new LoadFigures(new("normal", Tone.Good), "connections", 0.18) { Connections = 341, DeliveryConnections = 27 },
    };

    public static TrafficView Traffic(bool isEmpty = false)
    {
        int At(int n, int most) => isEmpty ? 0 : (int)(most * (1.1 + Math.Sin(n / 7.0) + (0.4 * Math.Sin(n * 2.3)))) / 2;
        ImmutableArray<int> Of(int most) => [.. Enumerable.Range(0, 60).Select(n => Math.Max(0, At(n, most)))];
        var (begin, step) = (Now.AddMinutes(-60), TimeSpan.FromMinutes(1));
        return new TrafficView(
            "60m",
            new TimeSeries(begin, step, [new("accepted", Tone.Plain, Of(120)), new("refused", Tone.Bad, Of(9))]),
            new TimeSeries(begin, step, [new("delivered", Tone.Good, Of(110)), new("deferred", Tone.Warn, Of(21)), new("failed", Tone.Bad, Of(6))]));
    }

    public ExplainedReference Explained => new(
        IsMalformed: false,
        [DecisionView.Of(Refused)],
        [new CoalescedEvent(Now.AddMinutes(-1), AuditKind.Policy, "recipient", 212, Now.AddMinutes(-9)) { Client = "192.0.2.66", Ref = "7QW4T2", Code = 550 }]);

    public WhatIfView WhatIf => new(new("refused", Tone.Bad), say("Refused by reject_unauth_destination: 550 5.7.1 <lisa@example.com>: Relay access denied"))
    {
        Change = [say("log in as an account that may send as app@example.org"), say("or list 192.0.2.7 in networks")],
        Decision = DecisionView.Of(Refused),
        Facts = [new("route", say("the mail exchangers of example.com")), new("signed by", say("2026b._domainkey.example.org"))],
    };

    public Trouble LogTrouble => new(say("the log cannot be read: Access to the path '/var/lib/postern/logs' is denied"), say("Let the user postern read it: chown postern /var/lib/postern/logs"))
    {
        Since = Now.AddMinutes(-3), Meanwhile = "Mail is accepted and delivered as ever. Only looking back does not work.", Id = "req-5f0c2",
    };

    public static string QueueIdOf(int n) => new QueueId(((UInt128)(ulong)Now.AddMinutes(-4 - (37 * n)).ToUnixTimeMilliseconds() << 80) + (UInt128)(n * 7919)).ToString();

    private DecisionEvent Decision(string reference, DecisionOutcome outcome, string recipient) => new(
        Now.AddMinutes(-18).AddSeconds(-1), Origin, reference, "recipient", outcome, outcome == DecisionOutcome.Permit ? "permit_authenticated" : "reject_unauth_destination", say("app@example.org"), recipient)
    {
        Reply = outcome == DecisionOutcome.Refuse ? say("550 5.7.1 <stranger@example.edu>: Relay access denied (ref 7QW4T2)") : null,
        Config = "c41f90ab",
        Credential = "#7",
        Chain =
        [
            new RuleStep("reject_unlisted_domain", say("example.org is a domain of app@example.org"), "pass", null) { Stage = "sender" },
            new RuleStep("sender_checks", say("list sender_checks"), "ask", null) { Stage = "sender" },
            new RuleStep("reject_sender_login_mismatch", say("app@example.org may send as app@example.org"), "pass", null) { Stage = "sender", In = "sender_checks" },
            new RuleStep("permit_networks", say("2001:db8:7::1f is in no listed network"), "pass", say("list 2001:db8:7::1f in networks")),
            new RuleStep("permit_authenticated", say("logged in as app@example.org"), outcome == DecisionOutcome.Permit ? "permit" : "pass", say("log in")),
            .. outcome == DecisionOutcome.Permit
                ? ImmutableArray<RuleStep>.Empty
                : [new RuleStep("reject_unauth_destination", say("example.edu is none of domains"), "refuse", say("add example.edu to domains"))],
        ],
    };

    private DeliveryEvent Delivery(int minutes, string to, DeliveryOutcome outcome, int attempt, string reply, string? status, string? category) =>
        new(Now.AddMinutes(minutes), Id, say(to), outcome, attempt, outcome == DeliveryOutcome.Delivered ? say(reply) : reply)
        {
            Remote = say("mx1.example.net [203.0.113.25]:25"),
            Tls = "TLSv1.3",
            TlsTrust = "verified",
            TlsPolicy = "dane",
            Phase = outcome == DeliveryOutcome.Delivered ? "end" : "rcpt",
            Route = "*",
            DurationMs = 412,
            Status = status,
            Category = category,
            NextAttempt = outcome == DeliveryOutcome.Deferred ? Now.AddMinutes(14) : null,
            SignedBy = say("2026b._domainkey.example.org"),
        };
}
