using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Client;

/// <summary>
/// Writes MAIL and RCPT with the parameters that this server takes, and says which messages it can have at all (RFC 5321 §3.3).
/// </summary>
internal sealed class EnvelopeWriter(ClientWire wire, SmtpClientOptions options)
{
    private Func<string, bool> isOffered = SmtpExtensions.None.Has;
    private bool isVerified;
    private bool isLoggedIn;

    /// <summary>What the server offers now.</summary>
    public SmtpExtensions Offered { get; private set; } = SmtpExtensions.None;

    public void Know(SmtpExtensions offered, bool verified, bool hasLogin)
    {
        if (!ReferenceEquals(Offered, offered))
            (Offered, isOffered) = (offered, offered.Has);
        (isVerified, isLoggedIn) = (verified, hasLogin);
    }

    /// <summary>Why the server cannot have the message, in its own words as it were; null where it can.</summary>
    public ClientAnswer.Refused? WhyNotToTry(OutgoingMessage message) =>
        new Passage(message.Envelope, message.Content.Length, message.HasUtf8Header)
        {
            Offers = isOffered,
            MostOctets = Offered.MaxSize,
            IsVerified = isVerified,
            Needs8BitMime = options.EightBit == EightBitFallback.Refuse,
        }.WhyNot() is { } objection ? new ClientAnswer.Refused(ClientPhase.Mail, objection) { IsForeseen = true } : null;

    public void WriteMail(OutgoingMessage message)
    {
        wire.Output.Append("MAIL FROM:<"u8);
        wire.Output.Append(message.Envelope.Sender.Address);
        wire.Output.Append(">"u8);
        if (Offered.HasSize)
        {
            wire.Output.Append(" SIZE="u8);
            wire.Output.Append(message.Content.Length, maxLength: 20);
        }

        wire.Output.Append(ParameterText.ForNextHop(Said(message.Parameters), isOffered));
        wire.Output.Append("\r\n"u8);
    }

    public void WriteRecipient(OutgoingMessage message, int index)
    {
        wire.Output.Append("RCPT TO:<"u8);
        wire.Output.Append(message.Recipients[index].Address);
        wire.Output.Append(">"u8);
        var said = Extensions.DeliverBy.Wishes(message.Envelope.ParametersOf(index), message.Parameters, isOffered);
        wire.Output.Append(ParameterText.ForNextHop(said, isOffered));
        wire.Output.Append("\r\n"u8);
    }

    /// <summary>
    /// Without the size, which is the content's. AUTH= is for servers that this client has logged in to (RFC 4954 §5), and says that
    /// nobody is vouched for: the login is this host's, not the sender's.
    /// </summary>
    private MailParameters Said(MailParameters parameters) =>
        parameters is { DeclaredSize: null, SubmittedBy: null } && !isLoggedIn
            ? parameters
            : parameters with { DeclaredSize = null, SubmittedBy = isLoggedIn ? ReversePath.Null : null };
}
