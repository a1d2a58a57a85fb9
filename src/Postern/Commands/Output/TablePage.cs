using Postern.Relay.Audit;
using Spectre.Console;

namespace Postern.Commands.Output;

/// <summary>
/// A table for people: lines around it in a terminal, plain columns in a pipe. Where a window is too narrow for it, one block a row:
/// a queue id or an address that is broken into pieces cannot be copied.
/// </summary>
internal sealed class TablePage(params string[] columns)
{
    /// <summary>Columns that the last one needs to be read in lines of its own, and how many lines it may have.</summary>
    private const int LeastRoom = 20;
    private const int MostLines = 3;

    private const int Frame = 3;

    private readonly List<string[]> rows = [];

    /// <summary>One cell for each column; the text may come from anywhere.</summary>
    public TablePage Row(params string[] cells)
    {
        rows.Add(cells);
        return this;
    }

    /// <param name="ifEmpty">What to say where there is no row; null for the bare head of the table.</param>
    public void WriteTo(Terminal terminal, string? ifEmpty = null)
    {
        if (rows.Count == 0 && ifEmpty is not null)
        {
            terminal.Line(ifEmpty);
            return;
        }

        if (!Fits(terminal))
        {
            WriteBlocks(terminal);
            return;
        }

        var room = RoomOfLast(terminal);
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal.WantsColor ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = terminal.WantsColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new SizedOutput(text, terminal.Width),
        });
        console.Profile.Capabilities.Unicode = terminal.IsInteractive;

        var table = new Table { Border = terminal.IsInteractive ? TableBorder.Rounded : TableBorder.None };
        foreach (var column in columns)
            table.AddColumn(
                new TableColumn(new Text(column, new Style(decoration: Decoration.Bold)))
                {
                    NoWrap = !terminal.IsInteractive || (columns.Length > 2 && table.Columns.Count < columns.Length - 1),
                    Padding = new Padding(terminal.IsInteractive ? 1 : 0, 0, terminal.IsInteractive ? 1 : 2, 0),
                });
        foreach (var row in rows)
            table.AddRow(row.Select((cell, i) => new Text(
                i == columns.Length - 1 && columns.Length > 2 ? Cut(PrintableText.Of(cell), room) : PrintableText.Of(cell))));
        console.Write(table);

        foreach (var line in text.ToString().AsSpan().TrimEnd().EnumerateLines())
            terminal.Output.WriteLine(line.TrimEnd());
    }

    /// <summary>It can be a table there.</summary>
    public bool Fits(Terminal terminal) => RoomOfLast(terminal) >= LeastRoom || NaturalWidth(columns.Length) <= terminal.Width;

    /// <summary>What stands in the last column is words, and can be read in a few lines.</summary>
    private int RoomOfLast(Terminal terminal) =>
        terminal.IsInteractive && columns.Length > 2 ? terminal.Width - NaturalWidth(columns.Length - 1) - Frame : int.MaxValue;

    private static string Cut(string text, int room) =>
        room <= short.MaxValue && text.Length > room * MostLines ? $"{text.AsSpan(0, (room * MostLines) - room)}…" : text;

    /// <summary>Of the first columns, with what stands around them.</summary>
    private int NaturalWidth(int count)
    {
        var width = 1;
        for (var i = 0; i < count; i++)
            width += Frame + rows.Select(row => PrintableText.Of(row[i]).Length).Prepend(columns[i].Length).Max();
        return width;
    }

    private void WriteBlocks(Terminal terminal)
    {
        var indent = columns.Max(static c => c.Length) + 2;
        for (var r = 0; r < rows.Count; r++)
        {
            if (r > 0)
                terminal.Line();
            for (var i = 0; i < columns.Length; i++)
                terminal.Prose(columns[i].PadRight(indent) + PrintableText.Of(rows[r][i]), indent);
        }
    }
}
