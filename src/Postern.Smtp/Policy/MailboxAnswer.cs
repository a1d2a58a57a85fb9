namespace Postern.Smtp.Policy;

/// <summary>What a verifier says of a mailbox.</summary>
public enum MailboxAnswer
{
    /// <summary>252: it cannot be known, or may not be told.</summary>
    Unknown,

    /// <summary>250.</summary>
    Exists,

    /// <summary>550 5.1.1.</summary>
    Missing,
}
