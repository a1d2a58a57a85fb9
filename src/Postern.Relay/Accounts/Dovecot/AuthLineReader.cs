namespace Postern.Relay.Accounts.Dovecot;

/// <summary>
/// Reads lines that end in LF, of <see cref="AuthLine.MaxOctets"/> at most. What has been read is wiped: it may be a password.
/// </summary>
internal sealed class AuthLineReader(Stream stream)
{
    private const int FirstOctets = 1024;

    private byte[] buffer = new byte[FirstOctets];
    private int taken;
    private int filled;

    /// <summary>The other side sent more than a line may have.</summary>
    public bool IsTooLong { get; private set; }

    /// <summary>The next line without its LF, valid until the next call; null at the end, or where the line is too long.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken ct)
    {
        buffer.AsSpan(0, taken).Clear();
        var seen = taken;
        while (true)
        {
            var end = buffer.AsSpan(seen, filled - seen).IndexOf((byte)'\n');
            if (end >= 0 && seen + end - taken < AuthLine.MaxOctets)
            {
                var line = buffer.AsMemory(taken, seen + end - taken);
                taken = seen + end + 1;
                return line;
            }

            if (end >= 0 || filled - taken >= AuthLine.MaxOctets)
            {
                IsTooLong = true;
                return null;
            }

            MakeRoom();
            seen = filled;
            var read = await stream.ReadAsync(buffer.AsMemory(filled), ct).ConfigureAwait(false);
            if (read == 0)
                return null;
            filled += read;
        }
    }

    /// <summary>Nothing of what was read stays.</summary>
    public void Wipe() => buffer.AsSpan().Clear();

    private void MakeRoom()
    {
        if (taken > 0)
        {
            buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
            buffer.AsSpan(filled - taken, taken).Clear();
            (taken, filled) = (0, filled - taken);
        }

        if (filled < buffer.Length)
            return;
        var larger = new byte[Math.Min(buffer.Length * 4, AuthLine.MaxOctets)];
        buffer.AsSpan(0, filled).CopyTo(larger);
        Wipe();
        buffer = larger;
    }
}
