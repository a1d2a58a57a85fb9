namespace Postern.Relay.Policy;

/// <summary>What an argument of a rule may be: how it is read, and how that is said to people.</summary>
/// <param name="Name">One or two words for the reference.</param>
/// <param name="Expected">The end of the sentence "expected ...".</param>
public sealed record ArgumentKind<T>(string Name, string Expected, ArgumentKind<T>.TryRead Read)
{
    public delegate bool TryRead(string text, out T value);
}
