using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>Answers VRFY (RFC 5321 §3.5) for clients that have logged in; no one else's question gets here.</summary>
public interface IMailboxVerifier
{
    /// <summary>
    /// What <paramref name="session"/>'s identity may know of a mailbox. <see cref="MailboxAnswer.Unknown"/> whenever that is nothing.
    /// </summary>
    ValueTask<MailboxAnswer> VerifyAsync(SessionState session, Mailbox mailbox, CancellationToken ct);
}

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
