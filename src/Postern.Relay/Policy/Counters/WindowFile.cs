using System.Globalization;
using System.Text;
using Postern.Relay.Policy.Limits;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// The file that sliding windows outlive a restart in: lines that are appended, each with its sum (CRC-32C), the last of the same thing
/// counting. A torn last line is the end of a process that was killed; anything else that does not read is damage.
/// </summary>
internal static class WindowFile
{
    private const string Header = "postern limits 1";
    private const string NoItem = "-";

    /// <summary>Reads what can be read.</summary>
    /// <returns>What is wrong with the file; null where it is whole, or is not there.</returns>
    /// <exception cref="IOException">It cannot be read at all.</exception>
    public static string? Read(string path, Action<WindowLine> take)
    {
        string text;
        try
        {
            text = File.ReadAllText(path, Encoding.Latin1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var (read, broken) = (0, 0);
        foreach (var line in lines.Skip(1))
        {
            if (TryRead(line, out var found))
            {
                take(found);
                read++;
            }
            else
            {
                broken++;
            }
        }

        return lines is [Header, ..] && broken == 0 ? null
            : lines is not [Header, ..] && read == 0 ? $"{path} is no file of this server's limits"
            : string.Create(CultureInfo.InvariantCulture, $"{path} is damaged: {read} lines can be read, {broken} cannot");
    }

    /// <summary>Appends the lines, or makes a new file of them that takes the place of the old one.</summary>
    public static void Write(string path, IEnumerable<WindowLine> lines, bool isNew)
    {
        LineFile.Save(path, isNew, to =>
        {
            if (isNew)
                to.Write(Header + "\n");
            foreach (var line in lines)
            {
                var item = line.What == LimitThing.DistinctRecipients ? line.Item.ToString("x16", CultureInfo.InvariantCulture) : NoItem;
                LineFile.WriteSummed(to, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{line.Of.Scope.Word()} {line.What.Word()} {(long)line.Window.TotalSeconds} {Uri.EscapeDataString(line.Of.Name)} "
                        + $"{line.Slice} {line.Count} {item}"));
            }
        });
    }

    private static bool TryRead(string line, out WindowLine found)
    {
        found = default;
        if (LineFile.WithoutSum(line)?.Split(' ') is not [var scope, var what, var window, var whose, var slice, var count, var item]
            || !LimitWords.TryScope(scope, out var of)
            || !LimitWords.TryThing(what, out var thing)
            || !TryNumber(window, out var seconds)
            || seconds is < 1 or > 31 * 86_400
            || !TryNumber(slice, out var at)
            || !TryNumber(count, out var much))
            return false;
        var isItem = ulong.TryParse(item, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var which);
        found = new WindowLine(
            new LimitSubject(of, Uri.UnescapeDataString(whose)), thing, TimeSpan.FromSeconds(seconds), at, much, which);
        return isItem == (thing == LimitThing.DistinctRecipients) && (isItem || item == NoItem);
    }

    private static bool TryNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

/// <summary>What was used in one slice of a window.</summary>
/// <param name="Slice">Its number, from the beginning of the calendar.</param>
/// <param name="Item">Of what is counted once: which one.</param>
internal readonly record struct WindowLine(LimitSubject Of, LimitThing What, TimeSpan Window, long Slice, long Count, ulong Item);
