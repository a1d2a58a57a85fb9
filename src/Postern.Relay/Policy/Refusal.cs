using Postern.Smtp.Replies;

namespace Postern.Relay.Policy;

/// <summary>A policy's reply before it carries the reference of its decision.</summary>
internal sealed record Refusal(int Code, EnhancedStatus Status, string Text)
{
    public Reply ToReply(string reference) => new(Code, Status, $"{Text} (ref {reference})");
}
