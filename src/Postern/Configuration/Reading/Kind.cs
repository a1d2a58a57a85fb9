using System.Collections.Immutable;

namespace Postern.Configuration.Reading;

/// <summary>What a value may be: how it is read, and how that is said to people.</summary>
/// <param name="Name">One or two words for the reference: <c>size</c>, <c>list of CIDR</c>.</param>
/// <param name="Expected">The end of the sentence "expected ...".</param>
/// <param name="Words">The words to choose from; empty where the value is not one of a few words.</param>
internal sealed record Kind<T>(string Name, string Expected, TryRead<T> Read, ImmutableArray<string> Words)
{
    /// <summary>Says more about a wrong text than that it is wrong; null where there is no more to say.</summary>
    public Func<string, string?>? Why { get; init; }
}

internal delegate bool TryRead<T>(string text, out T value);
