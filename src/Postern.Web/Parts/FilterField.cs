using System.Collections.Immutable;

namespace Postern.Web.Parts;

/// <summary>One field by which a list is narrowed; it has the name that the API and the command have for it.</summary>
public sealed record FilterField(string Name, string Label, string? Value)
{
    public string? Placeholder { get; init; }

    /// <summary>The words that it may have; empty where it may have any.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    /// <summary>It is carried along, and not shown.</summary>
    public bool IsHidden { get; init; }
}
