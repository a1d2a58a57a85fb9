using Postern.Smtp.Dialogue;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Verbs;

/// <summary>EHLO (RFC 5321 §4.1.1.1): who the client says it is, what the server offers; ends any transaction.</summary>
internal static class Ehlo
{
    public static readonly Verb Row = new("EHLO", Phase.Any, Needs.Argument | Needs.EndOfGroup, "EHLO hostname", HandleAsync)
    {
        Only = MailProtocol.Smtp,
    };

    internal static async ValueTask<Step> GreetAsync(SmtpSession session, ReadOnlyMemory<byte> argument, bool extended, Reply reply)
    {
        if (argument.Length > Domain.MaxOctets)
            return new Step(StandardReply.HelloTooLong);
        await session.EndTransactionAsync();
        var state = session.State;
        state.HeloName = HelloName.Read(argument.Span);
        state.IsExtended = extended;
        state.PolicyMemo = null;
        return new Step(reply, Next: Phase.Ready);
    }

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        GreetAsync(session, argument, extended: true, session.Capabilities.Ehlo);
}
