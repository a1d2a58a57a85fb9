namespace Postern.Relay.Dkim.Arc;

/// <summary>What the chain of a message is worth (RFC 8617 §4.4), in the words of <c>cv=</c>.</summary>
internal abstract record ArcVerdict(string Word)
{
    /// <summary>There is no chain.</summary>
    public sealed record None() : ArcVerdict("none");

    public sealed record Pass() : ArcVerdict("pass");

    public sealed record Fail(string Why) : ArcVerdict("fail");

    /// <summary>A key cannot be had now: nothing is known, and whoever says so in a seal would end the chain for all who follow.</summary>
    public sealed record Unknown(string Why) : ArcVerdict("temperror");
}
