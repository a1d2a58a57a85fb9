using System.Collections.Immutable;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Client;

/// <summary>One mail transaction to make.</summary>
/// <param name="Envelope">
/// RFC 5321 §4.5.3.1.8 lets a server refuse more than 100 recipients. Parameters are said where the server offers the extension; what it
/// must offer for the message to go at all is checked before anything is sent. The size is taken from the content.
/// </param>
/// <param name="Content">Read from the start, once; stays the caller's.</param>
public sealed record OutgoingMessage(SmtpEnvelope Envelope, IMessageContent Content)
{
    /// <summary>Without parameters.</summary>
    public OutgoingMessage(ReversePath sender, IReadOnlyList<Mailbox> recipients, IMessageContent content)
        : this(new SmtpEnvelope(sender, [.. recipients]), content)
    {
    }

    /// <summary>Where failures are reported.</summary>
    public ReversePath Sender => Envelope.Sender;

    /// <summary>At least one.</summary>
    public ImmutableArray<Mailbox> Recipients => Envelope.Recipients;

    /// <summary>What MAIL says.</summary>
    public MailParameters Parameters => Envelope.Parameters;

    /// <summary>The header section holds UTF-8 (RFC 6532), so only a server with SMTPUTF8 can have it.</summary>
    public bool HasUtf8Header { get; init; }

    /// <summary>
    /// Whose it is, where the server is told (<see cref="SmtpClientOptions.Forward"/>); null: nobody is named. Where another is named
    /// already, a message without a client needs a session of its own.
    /// </summary>
    public PeerClaims? Client { get; init; }

    /// <summary>
    /// Calls the sending off, by an exception as the caller's token does, while the server cannot have the whole message; later it does
    /// nothing.
    /// </summary>
    public CancellationToken Revoked { get; init; }

    internal bool IsBinary => Parameters.Body == BodyType.BinaryMime;
}
