using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Envelopes;

/// <summary>
/// Variable envelope return paths: the sender of a message to one recipient, from which a report about that one is known.
/// </summary>
internal static class Verp
{
    /// <summary><c>local+recipient=domain@sender-domain</c>; null where that would be too long for an address.</summary>
    public static Mailbox? Of(Mailbox sender, Mailbox recipient, VerpDelimiters delimiters) => LocalPart.At(
        $"{LocalPart.Of(sender)}{delimiters.Recipient}{LocalPart.Of(recipient)}{delimiters.Domain}{recipient.Domain.Text}", sender.Domain);
}
