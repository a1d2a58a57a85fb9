using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>A command line split at its first space (RFC 5321 §2.4, §4.1.1). Trailing white space is dropped, as the RFC asks of servers.</summary>
internal readonly record struct CommandLine(ReadOnlyMemory<byte> Verb, ReadOnlyMemory<byte> Argument)
{
    private static readonly string[] ForeignVerbs = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "PATCH", "TRACE", "PRI", "PROXY"];

    public static CommandLine Split(ReadOnlyMemory<byte> line)
    {
        var trimmed = line[..line.Span.TrimEnd(" \t"u8).Length];
        var space = trimmed.Span.IndexOf((byte)' ');
        return space < 0
            ? new CommandLine(trimmed, default)
            : new CommandLine(trimmed[..space], trimmed[(space + 1 + Leading(trimmed.Span[(space + 1)..]))..]);
    }

    /// <summary>A browser or a script speaking HTTP: somebody is using it to reach this port (cross-protocol attacks). Or a PROXY header from one who is no listed load balancer. Such a client is left at once.</summary>
    public static bool IsForeignProtocol(ReadOnlySpan<byte> line)
    {
        var space = line.IndexOf((byte)' ');
        if (space <= 0)
            return false;
        foreach (var method in ForeignVerbs)
        {
            if (Ascii.EqualsIgnoreCase(line[..space], method))
                return true;
        }

        return Ascii.EqualsIgnoreCase(line[..space], "Host:");
    }

    private static int Leading(ReadOnlySpan<byte> text) => text.Length - text.TrimStart((byte)' ').Length;
}
