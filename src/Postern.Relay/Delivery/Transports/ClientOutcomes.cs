using System.Globalization;
using Postern.Relay.Delivery.Tls;
using Postern.Smtp.Client;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Turns what the dialogue answered into outcomes: 2xx delivered, 5xx failed, all else deferred; a 5xx before the first command counts as
/// all else.
/// </summary>
/// <param name="remote">Who answered.</param>
/// <param name="tls">The version; null without.</param>
/// <param name="offered">What the server took over with the messages that it accepted; null before it could.</param>
/// <param name="took">How long the attempt had lasted; null where whoever asked knows.</param>
internal readonly struct ClientOutcomes(string remote, string? tls, SmtpExtensions? offered = null, TimeSpan? took = null)
{
    private const int Leaving = 421;
    private const int TooMany = 452;
    private const int TooManyRecipients = 552;

    private static readonly EnhancedStatus TooManyStatus = new(4, 5, 3);

    /// <summary>This is not the first message on the connection.</summary>
    public bool IsReused { get; init; }

    /// <summary>One before it was accepted.</summary>
    public bool HasCarried { get; init; }

    /// <summary>The server has the mailboxes: LMTP is spoken to it.</summary>
    public bool IsFinal { get; init; }

    /// <summary>The server's certificate proved its name.</summary>
    public bool IsVerified { get; init; }

    /// <summary>What TLS with it came to.</summary>
    public TlsNote? Security { get; init; }

    /// <summary>On which it was spoken to; null where nobody knows.</summary>
    public HopTerms? Terms { get; init; }

    public Outcome[] Of(IReadOnlyList<ClientAnswer> answers)
    {
        var outcomes = new Outcome[answers.Count];
        var same = outcomes.Length > 1 ? new HashSet<Outcome>() : null;
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = i > 0 && ReferenceEquals(answers[i], answers[i - 1]) ? outcomes[i - 1] : Of(answers[i], answers);
            // A thousand recipients that are told the same keep one text.
            if (same?.TryGetValue(outcomes[i], out var known) == true)
                outcomes[i] = known;
            else
                same?.Add(outcomes[i]);
        }

        return outcomes;
    }

    /// <summary>For a session that did not open.</summary>
    public Outcome OfOpening(ClientAnswer answer) => answer switch
    {
        ClientAnswer.Broken(ClientPhase.Greeting, _, _) or ClientAnswer.Refused(_, { IsTransient: true })
            when Of(answer, [answer]) is Outcome.Deferred later => later with { IsUnreachable = true },
        ClientAnswer.Accepted(var reply) =>
            new Outcome.Deferred(remote, $"the server left: {reply}", tls)
            {
                IsVerified = IsVerified,
                Security = Security,
                Cause = DeliveryCause.Unreachable,
                Phase = DeliveryPhase.Connect,
            },
        _ => Of(answer, [answer]),
    };

    private Outcome Of(ClientAnswer answer, IReadOnlyList<ClientAnswer> all) => answer switch
    {
        ClientAnswer.Accepted(var reply) => new Outcome.Delivered(remote, reply.ToString(), tls, reply.Status?.ToString())
        {
            IsFinal = IsFinal,
            TakesDsn = offered?.Has("DSN") == true,
            TakesDeliverBy = offered?.Has("DELIVERBY") == true,
            Phase = DeliveryPhase.End,
            Code = reply.Code,
            IsVerbatim = true,
            Took = took,
            IsVerified = IsVerified,
            Security = Security,
        },
        ClientAnswer.Refused(_, { IsTransient: true }) refused => Later(refused, AfterOf(refused.Phase, refused.Reply, all)),
        // "Too many recipients" of old servers, when others were accepted, whatever came after (RFC 5321 §4.5.3.1.10).
        ClientAnswer.Refused(ClientPhase.Rcpt, { Code: TooManyRecipients } or { Status: { Class: 5, Subject: 5, Detail: 3 } }) refused
            when IsAnyAccepted(all) =>
            Later(
                refused,
                IsAnyTaken(all) ? AfterDeferral.NewTransaction : IsAnyBroken(all) ? AfterDeferral.NewConnection : AfterDeferral.NextHost),
        // A host that greets with 5xx turns this server away, not the message: a block list, a wrong port. It may pass (Postfix:
        // smtp_skip_5xx_greeting).
        ClientAnswer.Refused(ClientPhase.Greeting, _) refused => Later(refused, AfterDeferral.NextHost),
        ClientAnswer.Refused refused when UnmetTerms.Of(refused.Reply, Terms, isSecured: tls is not null, offered) is var (words, cause) =>
            Later(refused, AfterDeferral.NextHost) with { Reply = $"{words}: {refused.Reply}", Cause = cause, IsVerbatim = false },
        // What this host lacks another one may have.
        ClientAnswer.Refused { IsForeseen: true } refused =>
            Later(refused, AfterDeferral.NextHost) with { Status = null, FailsWith = StatusOf(refused.Reply) },
        ClientAnswer.Refused refused => new Outcome.Failed(remote, refused.Reply.ToString(), tls, StatusOf(refused.Reply))
        {
            Cause = CauseOf(refused),
            Phase = PhaseOf(refused.Phase),
            Code = refused.Reply.Code,
            IsVerbatim = true,
            Took = took,
            IsVerified = IsVerified,
            Security = Security,
        },
        // Tried again although the server may have it, and not at once with another host: a second copy is better than none (RFC 1047), and
        // a late one better than a sure one.
        ClientAnswer.Broken(ClientPhase.EndOfData, _, var detail) broken =>
            Lost(
                broken,
                $"{detail}, while waiting for the answer to the end of data: it may have been delivered",
                AfterDeferral.NextAttempt),
        // A connection that had waited was closed meanwhile: nothing of this message was sent, so it says nothing of the host.
        ClientAnswer.Broken(ClientPhase.Mail or ClientPhase.Rcpt or ClientPhase.Data, ClientFault.ConnectionLost, var detail) broken
            when IsReused =>
            Lost(broken, detail, AfterDeferral.NewConnection),
        // It hung up on so many that were too many: fewer are another matter.
        ClientAnswer.Broken(ClientPhase.Rcpt or ClientPhase.Data, ClientFault.ConnectionLost, var detail) broken
            when all.Any(IsOneTooMany) =>
            Lost(broken, detail, AfterDeferral.NewConnection),
        ClientAnswer.Broken broken => Lost(broken, $"{broken.Detail}, at {NameOf(broken.Phase)}", AfterDeferral.NextHost),
        _ => throw new InvalidOperationException($"Unknown answer {answer}"),
    };

    private Outcome.Deferred Later(ClientAnswer.Refused refused, AfterDeferral after) =>
        new(remote, refused.Reply.ToString(), tls, refused.Reply.Status?.ToString())
        {
            After = after,
            IsOneTooMany = IsOneTooMany(refused),
            Cause = CauseOf(refused),
            Phase = PhaseOf(refused.Phase),
            Code = refused.IsForeseen ? null : refused.Reply.Code,
            IsVerbatim = !refused.IsForeseen,
            Took = took,
            IsVerified = IsVerified,
            Security = Security,
        };

    private Outcome.Deferred Lost(ClientAnswer.Broken broken, string words, AfterDeferral after) => new(remote, words, tls)
    {
        After = after,
        Cause = (broken.Phase, broken.Fault) switch
        {
            (ClientPhase.StartTls, _) or (_, ClientFault.TlsUnavailable or ClientFault.TlsFailed) => DeliveryCause.NoTls,
            (ClientPhase.Greeting, ClientFault.Timeout or ClientFault.ConnectionLost) => DeliveryCause.Unreachable,
            _ => DeliveryCause.Broken,
        },
        Phase = PhaseOf(broken.Phase),
        Took = took,
        IsVerified = IsVerified,
        Security = Security,
    };

    /// <summary>
    /// What 4xx leaves to be done. Servers word it in many ways that a connection has carried enough: what counts is that it has carried
    /// something.
    /// </summary>
    private AfterDeferral AfterOf(ClientPhase phase, Reply reply, IReadOnlyList<ClientAnswer> all)
    {
        var isTooMany = reply.Code == TooMany && (reply.Status is null || reply.Status == TooManyStatus);
        return phase switch
        {
            ClientPhase.Rcpt when IsTooManyRecipients(reply) && IsAnyTaken(all) => AfterDeferral.NewTransaction,
            ClientPhase.Rcpt when IsTooManyRecipients(reply) && IsAnyBroken(all) => AfterDeferral.NewConnection,
            ClientPhase.Mail or ClientPhase.Rcpt or ClientPhase.Data or ClientPhase.Content or ClientPhase.EndOfData
                when reply.Code == Leaving => AfterDeferral.NewConnection,
            ClientPhase.Mail when HasCarried => AfterDeferral.NewConnection,
            ClientPhase.Rcpt or ClientPhase.Data or ClientPhase.EndOfData when isTooMany && HasCarried => AfterDeferral.NewConnection,
            _ => AfterDeferral.NextHost,
        };
    }

    private static DeliveryCause CauseOf(ClientAnswer.Refused refused) =>
        refused.IsForeseen ? DeliveryCause.NotCapable : refused.Phase == ClientPhase.StartTls ? DeliveryCause.NoTls : DeliveryCause.Refused;

    private static DeliveryPhase PhaseOf(ClientPhase phase) => phase switch
    {
        ClientPhase.Greeting or ClientPhase.Ehlo or ClientPhase.Client => DeliveryPhase.Connect,
        ClientPhase.StartTls => DeliveryPhase.Tls,
        ClientPhase.Auth => DeliveryPhase.Login,
        ClientPhase.Mail => DeliveryPhase.Mail,
        ClientPhase.Rcpt => DeliveryPhase.Rcpt,
        ClientPhase.EndOfData => DeliveryPhase.End,
        _ => DeliveryPhase.Data,
    };

    private static bool IsOneTooMany(ClientAnswer answer) => answer is ClientAnswer.Refused(ClientPhase.Rcpt, var reply)
        && (reply.Code == TooManyRecipients || IsTooManyRecipients(reply));

    /// <summary>The status says it; without one 452 does (RFC 5321 §4.5.3.1.10).</summary>
    private static bool IsTooManyRecipients(Reply reply) =>
        reply.Status is { } status ? status is { Subject: 5, Detail: 3 } : reply.Code == TooMany;

    private static bool IsAnyBroken(IReadOnlyList<ClientAnswer> all) =>
        all.Any(static a => a is ClientAnswer.Broken or ClientAnswer.Refused(_, { Code: Leaving }));

    private static bool IsAnyTaken(IReadOnlyList<ClientAnswer> all) => all.Any(static a => a is ClientAnswer.Accepted);

    private static bool IsAnyAccepted(IReadOnlyList<ClientAnswer> all) =>
        all.Any(static a => a is not ClientAnswer.Refused(ClientPhase.Rcpt, _));

    private static string StatusOf(Reply reply) => reply.Status is { Class: 5 } status ? status.ToString() : "5.0.0";

    private static string NameOf(ClientPhase phase) => phase switch
    {
        ClientPhase.Greeting => "the greeting",
        ClientPhase.Content => "sending the content",
        ClientPhase.Client => "naming the client",
        _ => phase.ToString().ToUpper(CultureInfo.InvariantCulture),
    };
}
