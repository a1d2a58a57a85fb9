using System.Text;

namespace Postern.Relay.Dkim;

/// <summary>A field whose lines stay short where what stands in them allows it.</summary>
internal sealed class FoldedText(string name)
{
    private const int PreferredLine = 76;

    private readonly StringBuilder text = new(name, 1024);
    private int column = name.Length;

    public int Length => text.Length;

    /// <summary>Behind a space, or on a line of its own.</summary>
    public void Word(string word) => Part(" " + word);

    /// <summary>Right behind what stands before, or on a new line.</summary>
    public void Part(string part)
    {
        if (column + part.Length > PreferredLine)
        {
            text.Append("\r\n");
            column = 0;
            if (part[0] != ' ')
                part = " " + part;
        }

        text.Append(part);
        column += part.Length;
    }

    /// <summary>The tag <c>h=</c>: names of fields, each of which may stand on a new line.</summary>
    public void Names(IReadOnlyList<string> names)
    {
        for (var i = 0; i < names.Count; i++)
            Part((i == 0 ? " h=" : string.Empty) + names[i] + (i < names.Count - 1 ? ":" : ";"));
    }

    /// <summary>May be broken anywhere.</summary>
    public void Letters(string letters)
    {
        for (var rest = letters.AsSpan(); !rest.IsEmpty;)
        {
            if (column >= PreferredLine)
            {
                text.Append("\r\n ");
                column = 1;
            }

            var count = Math.Min(PreferredLine - column, rest.Length);
            text.Append(rest[..count]);
            column += count;
            rest = rest[count..];
        }
    }

    public string End() => text.Append("\r\n").ToString();

    public override string ToString() => text.ToString();
}
