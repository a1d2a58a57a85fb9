using System.Globalization;
using Postern.Smtp.Client;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Transports;

/// <summary>Turns what the dialogue answered into outcomes: 2xx delivered, 5xx failed, all else deferred; a 5xx before the first command counts as all else.</summary>
internal static class ClientOutcomes
{
    private const int Leaving = 421;
    private const int TooMany = 452;
    private const int TooManyRecipients = 552;

    private static readonly EnhancedStatus TooManyStatus = new(4, 5, 3);

    /// <param name="offered">What the server took over with the messages that it accepted.</param>
    /// <param name="isReused">This is not the first message on the connection.</param>
    /// <param name="hasCarried">One before it was accepted.</param>
    public static Outcome[] Of(IReadOnlyList<ClientAnswer> answers, string remote, string? tls, SmtpExtensions offered, bool isReused, bool hasCarried)
    {
        var outcomes = new Outcome[answers.Count];
        var same = outcomes.Length > 1 ? new HashSet<Outcome>() : null;
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = i > 0 && ReferenceEquals(answers[i], answers[i - 1]) ? outcomes[i - 1] : Of(answers[i], answers, remote, tls, offered, isReused, hasCarried);
            // A thousand recipients that are told the same keep one text.
            if (same?.TryGetValue(outcomes[i], out var known) == true)
                outcomes[i] = known;
            else
                same?.Add(outcomes[i]);
        }

        return outcomes;
    }

    /// <summary>For a session that did not open.</summary>
    public static Outcome OfOpening(ClientAnswer answer, string remote, string? tls) => answer switch
    {
        ClientAnswer.Broken(ClientPhase.Greeting, _, _) or ClientAnswer.Refused(_, { IsTransient: true }) when Of(answer, [answer], remote, tls, SmtpExtensions.None, isReused: false, hasCarried: false) is Outcome.Deferred later =>
            later with { IsUnreachable = true },
        ClientAnswer.Accepted(var reply) => new Outcome.Deferred(remote, $"the server left: {reply}", tls),
        _ => Of(answer, [answer], remote, tls, SmtpExtensions.None, isReused: false, hasCarried: false),
    };

    private static Outcome Of(ClientAnswer answer, IReadOnlyList<ClientAnswer> all, string remote, string? tls, SmtpExtensions offered, bool isReused, bool hasCarried) => answer switch
    {
        ClientAnswer.Accepted(var reply) => new Outcome.Delivered(remote, reply.ToString(), tls) { TakesDsn = offered.Has("DSN"), TakesDeliverBy = offered.Has("DELIVERBY") },
        ClientAnswer.Refused(var phase, { IsTransient: true } reply) => new Outcome.Deferred(remote, reply.ToString(), tls) { After = AfterOf(phase, reply, all, hasCarried) },
        // "Too many recipients" of old servers, when others were accepted, whatever came after (RFC 5321 §4.5.3.1.10).
        ClientAnswer.Refused(ClientPhase.Rcpt, { Code: TooManyRecipients } reply) when IsAnyAccepted(all) =>
            new Outcome.Deferred(remote, reply.ToString(), tls) { After = IsAnyTaken(all) ? AfterDeferral.NewTransaction : AfterDeferral.NextHost },
        // A host that greets with 5xx turns this server away, not the message: a block list, a wrong port. It may pass (Postfix: smtp_skip_5xx_greeting).
        ClientAnswer.Refused(ClientPhase.Greeting, var reply) => new Outcome.Deferred(remote, reply.ToString(), tls),
        ClientAnswer.Refused(_, var reply) => new Outcome.Failed(remote, reply.ToString(), tls, StatusOf(reply)),
        // Tried again although the server may have it, and not at once with another host: a second copy is better than none (RFC 1047), and a late one better than a sure one.
        ClientAnswer.Broken(ClientPhase.EndOfData, _, var detail) =>
            new Outcome.Deferred(remote, $"{detail}, while waiting for the answer to the end of data: it may have been delivered", tls) { After = AfterDeferral.NextAttempt },
        // A connection that had waited was closed meanwhile: nothing of this message was sent, so it says nothing of the host.
        ClientAnswer.Broken(ClientPhase.Mail or ClientPhase.Rcpt or ClientPhase.Data, ClientFault.ConnectionLost, var detail) when isReused =>
            new Outcome.Deferred(remote, detail, tls) { After = AfterDeferral.NewConnection },
        ClientAnswer.Broken(var phase, _, var detail) => new Outcome.Deferred(remote, $"{detail}, at {NameOf(phase)}", tls),
        _ => throw new InvalidOperationException($"Unknown answer {answer}"),
    };

    /// <summary>What 4xx leaves to be done. Servers word it in many ways that a connection has carried enough: what counts is that it has carried something.</summary>
    private static AfterDeferral AfterOf(ClientPhase phase, Reply reply, IReadOnlyList<ClientAnswer> all, bool hasCarried)
    {
        var isTooMany = reply.Code == TooMany && (reply.Status is null || reply.Status == TooManyStatus);
        return phase switch
        {
            ClientPhase.Rcpt when isTooMany && IsAnyTaken(all) => AfterDeferral.NewTransaction,
            ClientPhase.Mail or ClientPhase.Rcpt or ClientPhase.Data or ClientPhase.Content or ClientPhase.EndOfData when reply.Code == Leaving => AfterDeferral.NewConnection,
            ClientPhase.Mail when hasCarried => AfterDeferral.NewConnection,
            ClientPhase.Rcpt or ClientPhase.Data or ClientPhase.EndOfData when isTooMany && hasCarried => AfterDeferral.NewConnection,
            _ => AfterDeferral.NextHost,
        };
    }

    private static bool IsAnyTaken(IReadOnlyList<ClientAnswer> all) => all.Any(static a => a is ClientAnswer.Accepted);

    private static bool IsAnyAccepted(IReadOnlyList<ClientAnswer> all) => all.Any(static a => a is not ClientAnswer.Refused(ClientPhase.Rcpt, _));

    private static string StatusOf(Reply reply) => reply.Status is { Class: 5 } status ? status.ToString() : "5.0.0";

    private static string NameOf(ClientPhase phase) => phase switch
    {
        ClientPhase.Greeting => "the greeting",
        ClientPhase.Content => "sending the content",
        _ => phase.ToString().ToUpper(CultureInfo.InvariantCulture),
    };
}
