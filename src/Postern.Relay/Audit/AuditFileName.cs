using System.Globalization;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// The name of an audit file: <c>policy-2026-11-20.jsonl</c>, one file a kind and a UTC day. A file is never renamed, so a reader
/// can follow it over midnight; a search opens only the kinds and days it was asked for; and what is old is deleted by its name.
/// </summary>
internal readonly record struct AuditFileName(AuditKind Kind, DateOnly Day)
{
    public const string Extension = ".jsonl";

    private const string DayFormat = "yyyy-MM-dd";

    /// <summary>Null for any other file.</summary>
    public static AuditFileName? Parse(string name)
    {
        var dash = name.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0 || !name.EndsWith(Extension, StringComparison.Ordinal))
            return null;
        var day = name.AsSpan(dash + 1, name.Length - dash - 1 - Extension.Length);
        return AuditKinds.OfWord(name.AsSpan(0, dash)) is { } kind
            && DateOnly.TryParseExact(day, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? new AuditFileName(kind, date)
            : null;
    }

    /// <summary>The audit files of a directory, in no order; none when it is not there.</summary>
    /// <exception cref="IOException">It cannot be read: nobody must take that for "no events".</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public static IReadOnlyList<AuditFileName> List(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory).Select(static path => Parse(Path.GetFileName(path))).OfType<AuditFileName>()];
        }
        catch (DirectoryNotFoundException) when (!File.Exists(directory))
        {
            return [];
        }
    }

    public static DateOnly DayOf(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime);

    public override string ToString() =>
        string.Concat(Kind.ToWord(), "-", Day.ToString(DayFormat, CultureInfo.InvariantCulture), Extension);
}
