using Postern.Smtp.Grammar;

namespace Postern.Testing;

/// <summary>One message as a store received it.</summary>
public sealed record StoredMessage(ReversePath Sender, IReadOnlyList<Mailbox> Recipients, byte[] Content, string? Login, string Protocol);
