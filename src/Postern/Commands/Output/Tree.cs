using Postern.Relay.Audit;

namespace Postern.Commands.Output;

/// <summary>
/// Sentences that belong under others, for people: lines beside them in a terminal, indentation in a pipe. In a narrow window a sentence
/// goes on in the next line, between two words; a word that is too long for it stays whole.
/// </summary>
/// <param name="text">It may come from anywhere.</param>
internal sealed class Tree(string text)
{
    private const string Deeper = "  ";

    private readonly List<Tree> children = [];

    /// <summary>Puts a sentence under this one.</summary>
    /// <returns>The new one.</returns>
    public Tree Add(string sentence)
    {
        var child = new Tree(sentence);
        children.Add(child);
        return child;
    }

    public void WriteTo(Terminal terminal) => Write(terminal, first: string.Empty, further: string.Empty);

    /// <param name="first">What stands before the first line of this one.</param>
    /// <param name="further">What stands before each line that follows.</param>
    private void Write(Terminal terminal, string first, string further)
    {
        var (bar, tee, corner) = terminal.IsInteractive ? ("│  ", "├─ ", "└─ ") : (Deeper, Deeper, Deeper);
        var gap = terminal.IsInteractive ? "   " : Deeper;
        var hanging = further + (children.Count > 0 ? bar : gap) + Deeper;
        var line = (string?)null;
        foreach (var word in PrintableText.Of(text).Split(' '))
        {
            if (line is not null && line.Length + 1 + word.Length > terminal.Width)
            {
                terminal.Line(line.TrimEnd());
                line = hanging + word;
            }
            else
                line = line is null ? first + word : $"{line} {word}";
        }

        terminal.Line(line!.TrimEnd());
        for (var i = 0; i < children.Count; i++)
        {
            var isLast = i == children.Count - 1;
            children[i].Write(terminal, further + (isLast ? corner : tee), further + (isLast ? gap : bar));
        }
    }
}
