using System.Collections.Immutable;
using System.Text;

namespace Postern.Relay.Admin.Import;

/// <summary>
/// A table with a line of names on top, in RFC 4180 or with semicolons: <c>name</c> (or <c>user</c>, <c>login</c>, <c>email</c>),
/// <c>password</c> (or <c>hash</c>), <c>addresses</c>, <c>domains</c>, <c>enabled</c> or <c>disabled</c>. Several addresses in one cell are
/// parted by spaces. Other columns are passed over.
/// </summary>
internal static class CsvFile
{
    public static readonly ImportFormat Format = new("csv", Fits, Read);

    private static readonly string[] Names = ["name", "user", "username", "login", "account", "email"];
    private static readonly string[] Passwords = ["password", "hash", "secret"];
    private static readonly string[] AddressColumns = ["addresses", "address", "senders"];
    private static readonly string[] DomainColumns = ["domains", "domain"];

    /// <summary>Only the first line can tell.</summary>
    private static bool Fits(string line, bool isFirst)
    {
        if (!isFirst)
            return true;
        var columns = Columns(line, SeparatorOf(line));
        return columns.Length > 1 && IndexOf(columns, Names) >= 0;
    }

    private static IEnumerable<ImportEntry> Read(ImportSource source)
    {
        ImmutableArray<string>? head = null;
        var separator = ',';
        foreach (var (number, text) in source.Entries())
        {
            var entry = new ImportEntry(source.File, number);
            if (head is not { } columns)
            {
                separator = SeparatorOf(text);
                head = columns = Columns(text, separator);
                if (IndexOf(columns, Names) >= 0)
                    continue;
                yield return entry with { Problem = $"the first line names no column of {string.Join(", ", Names)}" };
                yield break;
            }

            if (TryCells(text, separator) is not { } cells || cells.Length > columns.Length)
                yield return entry with { Problem = $"it has not the {columns.Length} cells of the first line" };
            else
                yield return ReadRow(source, entry, columns, cells);
        }
    }

    private static ImportEntry ReadRow(ImportSource source, ImportEntry entry, ImmutableArray<string> columns, ImmutableArray<string> cells)
    {
        var name = Cell(Names).Trim();
        var password = Cell(Passwords);
        var read = IndexOf(columns, Passwords) < 0 ? entry with { Name = source.NameOf(name) } : source.WithPassword(entry, name, password);
        var isDisabled = IsNo(Cell(["enabled", "active"])) || IsYes(Cell(["disabled", "locked"]));
        return read with
        {
            // A table of rights may leave the password out.
            Disabled = isDisabled ? "the table says so" : password.Trim().Length == 0 ? null : read.Disabled,
            Addresses = Words(Cell(AddressColumns)),
            Domains = [.. Words(Cell(DomainColumns)).Select(static d => d.TrimStart('@'))],
        };

        string Cell(string[] names) => IndexOf(columns, names) is >= 0 and var i && i < cells.Length ? cells[i] : string.Empty;
    }

    private static ImmutableArray<string> Words(string cell) =>
        [.. cell.Split([' ', '\t', ',', ';', '|'], StringSplitOptions.RemoveEmptyEntries)];

    private static bool IsNo(string cell) => cell.Trim().ToUpperInvariant() is "0" or "NO" or "N" or "FALSE" or "F";

    private static bool IsYes(string cell) => cell.Trim().ToUpperInvariant() is "1" or "YES" or "Y" or "TRUE" or "T";

    private static char SeparatorOf(string line) => line.Count(static c => c == ';') > line.Count(static c => c == ',') ? ';' : ',';

    private static ImmutableArray<string> Columns(string line, char separator) =>
        TryCells(line, separator) is { } cells ? [.. cells.Select(static c => c.Trim().ToLowerInvariant())] : [];

    private static int IndexOf(ImmutableArray<string> columns, string[] names) =>
        columns.IndexOf(columns.FirstOrDefault(c => names.Contains(c, StringComparer.Ordinal)) ?? "\0");

    /// <summary>One line; null for a quotation mark that is not closed on it.</summary>
    private static ImmutableArray<string>? TryCells(string line, char separator)
    {
        var cells = ImmutableArray.CreateBuilder<string>();
        var cell = new StringBuilder();
        var isQuoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (isQuoted && line[i] == '"' && i + 1 < line.Length && line[i + 1] == '"')
                cell.Append(line[i++]);
            else if (line[i] == '"' && (isQuoted || cell.Length == 0))
                isQuoted = !isQuoted;
            else if (line[i] == separator && !isQuoted)
                Next();
            else
                cell.Append(line[i]);
        }

        Next();
        return isQuoted ? null : cells.ToImmutable();

        void Next()
        {
            cells.Add(cell.ToString());
            cell.Clear();
        }
    }
}
