using System.Globalization;

namespace Postern.Testing;

/// <summary>One line: <c>C:</c>, <c>C&gt;</c>, <c>C*</c>, <c>S:</c>, <c>S+</c> or <c>= </c>, and its text.</summary>
public sealed record TranscriptLine(string Kind, string Text)
{
    public bool IsClient => Kind[0] == 'C';

    /// <summary>What the client sends.</summary>
    public byte[] ToOctets()
    {
        if (Kind == "C>")
            return Transcript.Unescape(Text);
        if (Kind == "C:")
            return [.. Transcript.Unescape(Text), (byte)'\r', (byte)'\n'];
        var space = Text.IndexOf(' ', StringComparison.Ordinal);
        var unit = Transcript.Unescape(Text[(space + 1)..]);
        return [.. Enumerable.Repeat(unit, int.Parse(Text[..space], CultureInfo.InvariantCulture)).SelectMany(static u => u)];
    }

    public override string ToString() => $"{Kind} {Text}";
}
