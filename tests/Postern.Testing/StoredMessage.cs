using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Testing;

/// <summary>One message as a store received it.</summary>
public sealed record StoredMessage(ReversePath Sender, IReadOnlyList<Mailbox> Recipients, byte[] Content, string? Login, string Protocol)
{
    public MailParameters Parameters { get; init; } = MailParameters.None;

    /// <summary>One for each recipient.</summary>
    public IReadOnlyList<RecipientParameters> RecipientParameters { get; init; } = [];
}
