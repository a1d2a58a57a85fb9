using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// A command line split at its first white space (RFC 5321 §2.4, §4.1.1). Where the grammar has one space, clients send several, or a TAB:
/// between words any run of both is one space, and at the end of a line it is nothing.
/// </summary>
internal readonly record struct CommandLine(ReadOnlyMemory<byte> Verb, ReadOnlyMemory<byte> Argument)
{
    /// <summary>What stands between words. Everything that reads a command uses this, and nothing else ends a word.</summary>
    public static ReadOnlySpan<byte> WhiteSpace => " \t"u8;

    private static readonly string[] ForeignVerbs =
    [
        "GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "PATCH", "TRACE", "PRI", "PROXY",
    ];

    public static CommandLine Split(ReadOnlyMemory<byte> line)
    {
        var trimmed = line[..line.Span.TrimEnd(WhiteSpace).Length];
        var space = trimmed.Span.IndexOfAny(WhiteSpace);
        return space < 0
            ? new CommandLine(trimmed, default)
            : new CommandLine(trimmed[..space], trimmed[^trimmed.Span[space..].TrimStart(WhiteSpace).Length..]);
    }

    /// <summary>The first word, and what follows it without white space around it. Both may be empty.</summary>
    public static ReadOnlySpan<byte> FirstWord(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> rest)
    {
        var space = text.IndexOfAny(WhiteSpace);
        rest = space < 0 ? default : text[space..].Trim(WhiteSpace);
        return space < 0 ? text : text[..space];
    }

    /// <summary>
    /// The other side speaks TLS, where a line was to come: the type of a record and the first octet of its version (RFC 8446 §5.1).
    /// </summary>
    public static bool IsTlsRecord(ReadOnlySpan<byte> octets) => octets is [>= 0x14 and <= 0x17, 0x03, ..];

    /// <summary>
    /// A browser or a script speaking HTTP: somebody is using it to reach this port (cross-protocol attacks). Or a PROXY header from one
    /// who is no listed load balancer. Such a client is left at once.
    /// </summary>
    public static bool IsForeignProtocol(ReadOnlySpan<byte> line)
    {
        var space = line.IndexOfAny(WhiteSpace);
        if (space <= 0)
            return false;
        foreach (var method in ForeignVerbs)
        {
            if (Ascii.EqualsIgnoreCase(line[..space], method))
                return true;
        }

        return Ascii.EqualsIgnoreCase(line[..space], "Host:");
    }
}
