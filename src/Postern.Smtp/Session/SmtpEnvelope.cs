using System.Collections.Immutable;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>
/// What a client says of a message beside its content (RFC 5321 §2.3.1): the sender, the recipients, and the parameters of each. Immutable;
/// the same value is taken by the server, kept with the message and said to the next hop.
/// </summary>
/// <param name="Sender">Where failures are reported.</param>
/// <param name="Recipients">At least one; index i of <see cref="RecipientParameters"/> means this recipient i.</param>
public sealed record SmtpEnvelope(ReversePath Sender, ImmutableArray<Mailbox> Recipients)
{
    /// <summary>What MAIL said beside the sender.</summary>
    public MailParameters Parameters { get; init; } = MailParameters.None;

    /// <summary>What RCPT said beside the recipient, one for each; empty where none said anything.</summary>
    public ImmutableArray<RecipientParameters> RecipientParameters { get; init; } = [];

    /// <summary>An address is not US-ASCII, so only a server with SMTPUTF8 can have it (RFC 6531 §3.1).</summary>
    public bool HasUtf8Address
    {
        get
        {
            if (!Ascii.IsValid(Sender.Address))
                return true;
            foreach (var recipient in Recipients)
            {
                if (!Ascii.IsValid(recipient.Address))
                    return true;
            }

            return false;
        }
    }

    /// <summary>What RCPT said of a recipient.</summary>
    public RecipientParameters ParametersOf(int recipient) =>
        RecipientParameters.IsEmpty ? Session.RecipientParameters.None : RecipientParameters[recipient];

    /// <summary>The same for some of the recipients.</summary>
    /// <param name="recipients">Indexes into <see cref="Recipients"/>.</param>
    public SmtpEnvelope For(ReadOnlySpan<int> recipients)
    {
        var some = ImmutableArray.CreateBuilder<Mailbox>(recipients.Length);
        var said = ImmutableArray.CreateBuilder<RecipientParameters>(RecipientParameters.IsEmpty ? 0 : recipients.Length);
        foreach (var i in recipients)
        {
            some.Add(Recipients[i]);
            if (!RecipientParameters.IsEmpty)
                said.Add(RecipientParameters[i]);
        }

        return this with { Recipients = some.MoveToImmutable(), RecipientParameters = said.MoveToImmutable() };
    }
}
