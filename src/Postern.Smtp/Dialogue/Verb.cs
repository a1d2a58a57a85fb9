using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Dialogue;

/// <summary>One row of the verb table: all facts about a command.</summary>
/// <param name="Name">Upper case.</param>
/// <param name="In">The phases in which it is legal.</param>
/// <param name="Needs">What else it needs.</param>
/// <param name="Syntax">For HELP and for the reply to a syntax error.</param>
/// <param name="HandleAsync">Decides; called only when phase and needs are met. The argument is valid until the next read.</param>
internal sealed record Verb(
    string Name,
    Phase In,
    Needs Needs,
    string Syntax,
    Func<SmtpSession, ReadOnlyMemory<byte>, CancellationToken, ValueTask<Step>> HandleAsync)
{
    /// <summary>The protocol it belongs to; null: to both. On a listener of the other one it is unknown.</summary>
    public MailProtocol? Only { get; init; }
}

/// <summary>What a verb needs besides its phase; checked once, for all verbs.</summary>
[Flags]
internal enum Needs
{
    None = 0,

    /// <summary>TLS, on a listener that requires it (RFC 3207 §4).</summary>
    TlsWhereRequired = 1,

    /// <summary>No argument (RFC 5321 §4.1.1).</summary>
    NoArgument = 2,

    Argument = 4,

    /// <summary>
    /// No input behind it where TLS is offered, or the connection ends: it came in clear and would be taken for protected (RFC 3207 §6).
    /// </summary>
    NothingBehind = 8,

    /// <summary>
    /// When it is refused with input behind it, the connection ends: that input is content and must not be read as commands
    /// (RFC 2920 §3.1 makes such a command the last of its group).
    /// </summary>
    ContentBehind = 16,

    /// <summary>Room on the server for one more message.</summary>
    Room = 32,

    /// <summary>
    /// A chunk follows whose size is the argument. When the verb is refused the chunk is read and thrown away before the reply; where its
    /// size cannot be known the connection ends (RFC 3030 §2).
    /// </summary>
    ChunkBehind = 64,

    /// <summary>The last place of a group of pipelined commands (RFC 2920 §3.1). One that has another is noted, and not refused.</summary>
    EndOfGroup = 128,
}

/// <summary>
/// What a verb decided: the reply (null only with <see cref="After.RunSasl"/> and <see cref="After.ReceiveChunk"/>), where the dialogue
/// stands now (null: where it was), and who reads next. A verb never writes, reads or closes.
/// </summary>
internal readonly record struct Step(Reply? Reply, Phase? Next = null, After After = After.ReadCommand);

/// <summary>Who reads next, once the reply to a command is queued.</summary>
internal enum After
{
    ReadCommand,

    /// <summary>The content, up to the lone dot.</summary>
    ReceiveMessage,

    /// <summary>The chunk of BDAT; the command's reply comes behind it.</summary>
    ReceiveChunk,

    /// <summary>The SASL dialogue; it brings the command's one final reply.</summary>
    RunSasl,

    /// <summary>A TLS handshake; then everything starts over.</summary>
    StartTls,

    Close,
}
