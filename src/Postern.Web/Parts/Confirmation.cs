using System.Collections.Immutable;

namespace Postern.Web.Parts;

/// <summary>The second press: what exactly would be changed, counted when it was asked.</summary>
/// <param name="Title">What is done, with the count.</param>
/// <param name="Button">The verb.</param>
/// <param name="Action">Where the form goes.</param>
/// <param name="Back">This page without the question.</param>
/// <param name="Count">What is concerned.</param>
/// <param name="Command">The command that does the same.</param>
public sealed record Confirmation(string Title, string Button, string Action, string Back, int Count, string Command)
{
    /// <summary>Above this, the count has to be typed.</summary>
    public const int MostUntyped = 100;

    /// <summary>What it means, in a sentence.</summary>
    public string? Meaning { get; init; }

    /// <summary>It cannot be taken back, or is seen outside.</summary>
    public bool IsForGood { get; init; }

    /// <summary>What the form says beside what is typed.</summary>
    public ImmutableArray<(string Name, string Value)> Fields { get; init; } = [];

    /// <summary>What has to be typed.</summary>
    public ImmutableArray<(string Name, string Label)> Asked { get; init; } = [];

    /// <summary>Why may be said, for the log.</summary>
    public bool MayTell { get; init; }

    public bool IsTyped => Count > MostUntyped;
}
