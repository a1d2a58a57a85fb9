using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>One accepted RCPT.</summary>
public sealed record Recipient(Mailbox Mailbox, RecipientParameters Parameters)
{
    /// <summary>The address.</summary>
    public override string ToString() => Mailbox.Address;
}
