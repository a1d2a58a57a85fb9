using System.Buffers;
using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Verbs;

/// <summary>EHLO (RFC 5321 §4.1.1.1): who the client says it is, what the server offers; ends any transaction.</summary>
internal static class Ehlo
{
    private static readonly SearchValues<byte> NameOctets = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-./:=?@[]^_`{|}~"u8);

    public static readonly Verb Row = new("EHLO", Phase.Any, Needs.Argument, "EHLO hostname", HandleAsync) { Only = MailProtocol.Smtp };

    internal static async ValueTask<Step> GreetAsync(SmtpSession session, ReadOnlyMemory<byte> argument, bool extended, Reply reply)
    {
        if (!IsName(argument.Span))
            return new Step(StandardReply.BadHelo);
        await session.EndTransactionAsync();
        var state = session.State;
        state.HeloName = Encoding.ASCII.GetString(argument.Span);
        state.IsExtended = extended;
        state.PolicyMemo = null;
        return new Step(reply, Next: Phase.Ready);
    }

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        GreetAsync(session, argument, extended: true, session.Capabilities.Ehlo);

    /// <summary>
    /// A domain or an address literal, but loosely: real clients send their bare NetBIOS name, with underscores and worse. It is only ever
    /// logged and written into Received, so it must be printable, one word, and bounded.
    /// </summary>
    private static bool IsName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= Domain.MaxOctets && !name.ContainsAnyExcept(NameOctets);
}
