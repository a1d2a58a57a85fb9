using System.Collections.Immutable;

namespace Postern.Configuration.Reading;

/// <summary>A value in a configuration file and where it stands. Line and column count from 1.</summary>
internal abstract record ConfigNode(int Line, int Column)
{
    /// <param name="IsPlain">Written without quotes.</param>
    public sealed record Scalar(int Line, int Column, string Text, bool IsPlain) : ConfigNode(Line, Column);

    public sealed record Sequence(int Line, int Column, ImmutableArray<ConfigNode> Items) : ConfigNode(Line, Column);

    public sealed record Mapping(int Line, int Column, ImmutableArray<Entry> Entries) : ConfigNode(Line, Column);

    /// <summary>One key of a mapping; the node's position is the key's.</summary>
    public sealed record Entry(int Line, int Column, string Key, ConfigNode Value) : ConfigNode(Line, Column);

    /// <summary>Nothing was written after the key, or the word for nothing.</summary>
    public bool IsEmpty => this is Scalar { IsPlain: true, Text: "" or "~" or "null" };

    /// <summary>What stands here, in words for an error.</summary>
    public string Description => this switch
    {
        _ when IsEmpty => "nothing",
        Sequence => "a list",
        Mapping => "a section",
        Scalar scalar => $"'{scalar.Text}'",
        _ => "something else",
    };
}
