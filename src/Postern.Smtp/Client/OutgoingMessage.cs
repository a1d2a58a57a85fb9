using Postern.Smtp.Grammar;

namespace Postern.Smtp.Client;

/// <summary>One mail transaction to make.</summary>
/// <param name="Recipients">At least one. RFC 5321 §4.5.3.1.8 lets a server refuse more than 100.</param>
/// <param name="Content">Read from the start, once; stays the caller's.</param>
/// <param name="Is8Bit">Announce the content as BODY=8BITMIME.</param>
public sealed record OutgoingMessage(ReversePath Sender, IReadOnlyList<Mailbox> Recipients, IMessageContent Content, bool Is8Bit);
