using System.Collections.Immutable;

namespace Postern.Configuration.Reading;

/// <summary>A value in a configuration file and where it stands. Line and column count from 1.</summary>
internal abstract record ConfigNode(int Line, int Column)
{
    /// <summary>More of a value is in no error: it may be a whole file that is no configuration, or what nobody is to see.</summary>
    private const int MostQuoted = 60;

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
        Scalar scalar => Quote(scalar.Text),
        _ => "something else",
    };

    /// <summary>A value in an error: its first line, and of a long one the beginning.</summary>
    public static string Quote(string text)
    {
        var line = text.AsSpan();
        if (line.IndexOfAny('\r', '\n') is >= 0 and var end)
            line = line[..end];
        if (line.Length > MostQuoted)
            line = line[..(char.IsHighSurrogate(line[MostQuoted - 1]) ? MostQuoted - 1 : MostQuoted)];
        return line.Length < text.Length ? $"'{line}…'" : $"'{line}'";
    }
}
