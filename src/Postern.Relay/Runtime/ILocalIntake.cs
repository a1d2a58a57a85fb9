using Postern.Smtp.Client;
using Postern.Smtp.Session;

namespace Postern.Relay.Runtime;

/// <summary>
/// The way into the queue for users whom the system has named, so that they need no login. It goes by <see cref="LocalRules"/>.
/// </summary>
public interface ILocalIntake
{
    /// <summary>
    /// Takes one message. One answer for each recipient; a positive one means that the message is durable for it, and after one that is not
    /// transient another try is no use.
    /// </summary>
    /// <param name="user">Counts as the login.</param>
    /// <param name="content">Its lines end in CRLF or LF.</param>
    /// <exception cref="MessageContentException">The content could not be read; nothing was taken.</exception>
    ValueTask<IReadOnlyList<ClientAnswer>> SubmitAsync(string user, SmtpEnvelope envelope, IMessageContent content, CancellationToken ct);

    /// <summary>
    /// Tells whom it concerns that a message was refused, where nobody waits for the answer any more: the sender, or the user where the
    /// sender itself was refused.
    /// </summary>
    /// <param name="envelope">With the refused recipients alone.</param>
    /// <param name="answers">One for each of them.</param>
    /// <param name="header">The header section, which is returned.</param>
    /// <returns>False when that cannot be stored: it is to be tried again.</returns>
    ValueTask<bool> ReportRefusedAsync(
        string user,
        SmtpEnvelope envelope,
        IReadOnlyList<ClientAnswer.Refused> answers,
        ReadOnlyMemory<byte> header,
        CancellationToken ct);
}
