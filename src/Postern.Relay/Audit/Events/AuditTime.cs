using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Postern.Relay.Audit.Events;

/// <summary>
/// How a time stands in an audit line: UTC, ISO 8601, always 28 characters, so that the order of the bytes is the order of the times.
/// </summary>
internal static class AuditTime
{
    public const int Length = 28;

    public const string Format = "O";

    /// <summary>The beginning of every line, before the time.</summary>
    public static ReadOnlySpan<byte> Lead => "{\"at\":\""u8;

    /// <summary>The time of a line; null where it does not begin with one.</summary>
    public static DateTimeOffset? Read(ReadOnlySpan<byte> line) =>
        line.Length > Lead.Length + Length && line.StartsWith(Lead)
        && Utf8Parser.TryParse(line.Slice(Lead.Length, Length), out DateTimeOffset at, out _, 'O') ? at : null;

    public static byte[] ToBytes(DateTimeOffset at) =>
        Encoding.ASCII.GetBytes(at.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture));
}
