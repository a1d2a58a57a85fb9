using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Client;

/// <summary>One mail transaction to make.</summary>
/// <param name="Recipients">At least one. RFC 5321 §4.5.3.1.8 lets a server refuse more than 100.</param>
/// <param name="Content">Read from the start, once; stays the caller's.</param>
public sealed record OutgoingMessage(ReversePath Sender, IReadOnlyList<Mailbox> Recipients, IMessageContent Content)
{
    /// <summary>
    /// Said where the server offers the extension. What it must offer for the message to go at all is checked before anything is sent
    /// (<see cref="Prerequisites"/>). The size is taken from the content.
    /// </summary>
    public MailParameters Parameters { get; init; } = MailParameters.None;

    /// <summary>One for each recipient, or none at all.</summary>
    public IReadOnlyList<RecipientParameters> RecipientParameters { get; init; } = [];

    /// <summary>The header section holds UTF-8 (RFC 6532), so only a server with SMTPUTF8 can have it.</summary>
    public bool HasUtf8Header { get; init; }

    /// <summary>Calls the sending off, by an exception as the caller's token does, while the server cannot have the whole message; later it does nothing.</summary>
    public CancellationToken Revoked { get; init; }

    internal bool Is8Bit => Parameters.Body == BodyType.EightBitMime;

    internal bool IsBinary => Parameters.Body == BodyType.BinaryMime;

    /// <summary>RFC 6531 §3.1: an address or the header is not US-ASCII.</summary>
    internal bool NeedsUtf8
    {
        get
        {
            if (HasUtf8Header || !Ascii.IsValid(Sender.Address))
                return true;
            foreach (var recipient in Recipients)
            {
                if (!Ascii.IsValid(recipient.Address))
                    return true;
            }

            return false;
        }
    }
}
