using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>
/// BDAT (RFC 3030 §2): a chunk of the content, whose octets follow the command at once. They are read before any reply, and thrown away
/// where the command is refused; what cannot be measured ends the connection.
/// </summary>
internal static class Bdat
{
    public static readonly Verb Row = new(
        "BDAT",
        Phase.Mail | Phase.Rcpt | Phase.Bdat,
        Needs.Argument | Needs.TlsWhereRequired | Needs.ChunkBehind,
        "BDAT octets [LAST]",
        HandleAsync);

    private static async ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        if (!Chunk.TryParse(argument.Span, out var chunk))
            return new Step(StandardReply.BadSyntax(Row.Syntax), After: After.Close);
        var reception = session.Reception;
        if (session.State.Phase == Phase.Mail)
            return new Step(session.NoRecipients);
        if (session.State.Phase == Phase.Bdat && !reception.IsOpen)
            return new Step(StandardReply.ChunksFailed);
        if (reception.Octets + chunk.Octets > session.Limits.MessageOctets)
            return new Step(StandardReply.SizeLimit(session.Limits.MessageOctets));

        if (!reception.IsOpen && await reception.BeginAsync(ct) is { } instead)
            return instead;
        session.Chunks.Expect(chunk, refused: null);
        return new Step(Reply: null, Next: Phase.Bdat, After.ReceiveChunk);
    }
}
