using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>What the rules are asked about.</summary>
/// <param name="Recipient">Null at MAIL, and for the message as a whole.</param>
public sealed record PolicyQuestion(EnvelopeFacts Facts, ReversePath Sender, Mailbox? Recipient = null)
{
    /// <summary>Null before the header section has come, and in a dry run.</summary>
    public HeaderFacts? Header { get; init; }
}
