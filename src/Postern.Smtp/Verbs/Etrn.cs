using Postern.Smtp.Dialogue;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>
/// ETRN (RFC 1985 §5): start what waits for a domain, for it and those below it (<c>@</c>), or for a queue by name (<c>#</c>).
/// </summary>
internal static class Etrn
{
    public static readonly Verb Row = new("ETRN", Phase.Ready, Needs.Argument | Needs.TlsWhereRequired, "ETRN [@|#]domain", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        if (session.Server.QueueStarter is not { } starter)
            return new(new Step(StandardReply.EtrnNotAvailable));
        return QueueName.TryParse(argument.Span, out var queue)
            ? AskAsync(session, starter, queue, ct)
            : new(new Step(StandardReply.BadSyntax(Row.Syntax)));
    }

    private static async ValueTask<Step> AskAsync(SmtpSession session, IQueueStarter starter, QueueName queue, CancellationToken ct)
    {
        var answer = await starter.StartAsync(session.State, queue, ct);
        session.Server.Events.OnQueueStart(session.State, queue, answer);
        return new Step(answer switch
        {
            QueueStart.Started => new Reply(250, new(2, 0, 0), $"Queuing for {queue} started"),
            QueueStart.Nothing => new Reply(251, new(2, 0, 0), $"No messages waiting for {queue}"),
            QueueStart.Pending(null) => new Reply(252, new(2, 0, 0), $"Pending messages for {queue} started"),
            QueueStart.Pending(var count) => new Reply(253, new(2, 0, 0), $"{count} pending messages for {queue} started"),
            QueueStart.NotNow(var reason) => new Reply(458, new(4, 3, 2), $"Unable to queue messages for {queue}: {reason}"),
            QueueStart.NotAllowed(var reason) => new Reply(459, new(4, 7, 1), $"{queue} not allowed: {reason}"),
            _ => StandardReply.InternalError,
        });
    }
}
