using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit.Onward;

/// <summary>The next lines of one log file, in memory. A line that has no end yet is none.</summary>
internal sealed class LogHead
{
    private const int Block = 64 * 1024;

    /// <summary>A line is never so long; what is, is damage, and passed over.</summary>
    private const int MostOfLine = 16 * 1024 * 1024;

    private byte[] octets = [];
    private int taken;
    private int filled;
    private int feed = -1;

    private LogHead(AuditFileName name) => Name = name;

    public AuditFileName Name { get; }

    /// <summary>Where the next line begins.</summary>
    public long At { get; private set; }

    /// <summary>Of the file, when it was looked at.</summary>
    public long Length { get; private set; }

    public bool HasLine => feed >= 0;

    /// <summary>What was read is taken, and the file has more.</summary>
    public bool IsDry => !HasLine && At + (filled - taken) < Length;

    /// <summary>Of the line at hand; what is no event has none and goes first.</summary>
    public DateTimeOffset Time { get; private set; }

    public static async ValueTask<LogHead> ReadAsync(string path, AuditFileName name, long from, CancellationToken ct)
    {
        var head = new LogHead(name) { At = from };
        if (new FileInfo(path) is not { Exists: true } found)
            return head; // it was deleted a moment ago, which the next look sees
        head.Length = found.Length;
        if (head.Length < from)
            head.At = 0; // another file of the same name
        if (head.Length == head.At)
            return head;
        using var file = File.OpenHandle(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        while (!head.HasLine && head.At + head.filled < head.Length)
        {
            if (head.filled == MostOfLine)
                (head.At, head.filled) = (head.At + head.filled, 0);
            if (head.filled == head.octets.Length)
                Array.Resize(ref head.octets, Math.Max(Block, head.octets.Length * 2));
            var read = await RandomAccess.ReadAsync(file, head.octets.AsMemory(head.filled), head.At + head.filled, ct);
            if (read == 0)
                break;
            head.filled += read;
            head.Find();
        }

        return head;
    }

    /// <summary>The line at hand, without its end. Its memory stays as it is.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        var line = octets.AsMemory(taken, feed - taken);
        At += line.Length + 1;
        taken = feed + 1;
        Find();
        return line;
    }

    private void Find()
    {
        var at = octets.AsSpan(taken, filled - taken).IndexOf((byte)'\n');
        feed = at < 0 ? -1 : taken + at;
        if (at >= 0)
            Time = AuditTime.Read(octets.AsSpan(taken, at)) ?? DateTimeOffset.MinValue;
    }
}
