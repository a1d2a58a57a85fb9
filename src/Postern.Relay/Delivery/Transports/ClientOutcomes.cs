using System.Globalization;
using Postern.Smtp.Client;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Transports;

/// <summary>Turns what the dialogue answered into outcomes: 2xx delivered, 5xx failed, all else deferred; a 5xx before the first command counts as all else.</summary>
internal static class ClientOutcomes
{
    private const int TooManyRecipients = 552;

    /// <param name="offered">What the server took over with the messages that it accepted.</param>
    public static Outcome[] Of(IReadOnlyList<ClientAnswer> answers, string remote, string? tls, SmtpExtensions offered)
    {
        var outcomes = new Outcome[answers.Count];
        var same = outcomes.Length > 1 ? new HashSet<Outcome>() : null;
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = i > 0 && ReferenceEquals(answers[i], answers[i - 1]) ? outcomes[i - 1] : Of(answers[i], answers, remote, tls, offered);
            // A thousand recipients that are told the same keep one text.
            if (same?.TryGetValue(outcomes[i], out var known) == true)
                outcomes[i] = known;
            else
                same?.Add(outcomes[i]);
        }

        return outcomes;
    }

    public static Outcome Of(ClientAnswer answer, string remote, string? tls) => Of(answer, [answer], remote, tls, SmtpExtensions.None);

    private static Outcome Of(ClientAnswer answer, IReadOnlyList<ClientAnswer> all, string remote, string? tls, SmtpExtensions offered) => answer switch
    {
        ClientAnswer.Accepted(var reply) => new Outcome.Delivered(remote, reply.ToString(), tls) { TakesDsn = offered.Has("DSN"), TakesDeliverBy = offered.Has("DELIVERBY") },
        ClientAnswer.Refused(_, { IsTransient: true } reply) => new Outcome.Deferred(remote, reply.ToString(), tls),
        // "Too many recipients" of old servers, when others were accepted, whatever came after (RFC 5321 §4.5.3.1.10).
        ClientAnswer.Refused(ClientPhase.Rcpt, { Code: TooManyRecipients } reply) when all.Any(static a => a is not ClientAnswer.Refused(ClientPhase.Rcpt, _)) =>
            new Outcome.Deferred(remote, reply.ToString(), tls),
        // A host that greets with 5xx turns this server away, not the message: a block list, a wrong port. It may pass (Postfix: smtp_skip_5xx_greeting).
        ClientAnswer.Refused(ClientPhase.Greeting, var reply) => new Outcome.Deferred(remote, reply.ToString(), tls),
        ClientAnswer.Refused(_, var reply) => new Outcome.Failed(remote, reply.ToString(), tls, StatusOf(reply)),
        // Tried again although the server may have it: a second copy is better than none (RFC 1047).
        ClientAnswer.Broken(ClientPhase.EndOfData, _, var detail) => new Outcome.Deferred(remote, $"{detail}, while waiting for the answer to the end of data: it may have been delivered", tls),
        ClientAnswer.Broken(var phase, _, var detail) => new Outcome.Deferred(remote, $"{detail}, at {NameOf(phase)}", tls),
        _ => throw new InvalidOperationException($"Unknown answer {answer}"),
    };

    private static string StatusOf(Reply reply) => reply.Status is { Class: 5 } status ? status.ToString() : "5.0.0";

    private static string NameOf(ClientPhase phase) => phase switch
    {
        ClientPhase.Greeting => "the greeting",
        ClientPhase.Content => "sending the content",
        _ => phase.ToString().ToUpper(CultureInfo.InvariantCulture),
    };
}
