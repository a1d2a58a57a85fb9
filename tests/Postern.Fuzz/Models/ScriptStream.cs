using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Fuzz.Models;

/// <summary>
/// A client that says fixed octets in pieces, but for lines that begin with a marker: there it answers the server's last challenge as a client
/// mechanism would, so that inputs get through exchanges whose answers nobody can write down. The octet behind the marker names the user.
/// </summary>
internal sealed class ScriptStream(ReadOnlyMemory<byte> script, Func<int> nextSize, Func<char, bool, SaslClientCredentials> credentials, int maxHeard) : Stream
{
    /// <summary>With the right secret, with a wrong one, and with the right one but one bit of the answer another.</summary>
    public const char Right = '\u0001', Wrong = '\u0002', Bent = '\u0003';

    private readonly MemoryStream said = new();
    private readonly MemoryStream heard = new();
    private byte[] rest = script.ToArray();
    private int at;
    private (long Start, ISaslClientExchange? Exchange) login;

    /// <summary>What was said, and what would have been said next.</summary>
    public ReadOnlyMemory<byte> Said
    {
        get
        {
            var whole = new MemoryStream();
            whole.Write(said.GetBuffer(), 0, (int)said.Length);
            whole.Write(rest, at, rest.Length - at);
            return whole.ToArray();
        }
    }

    public ReadOnlyMemory<byte> Heard => heard.GetBuffer().AsMemory(0, (int)heard.Length);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || at == rest.Length)
            return 0;
        if (IsMarker(at) && IsAtLineStart && LastChallenge() is { } challenge)
            Answer(challenge);
        var next = rest.AsSpan(at);
        var stop = next[1..].IndexOfAny((byte)Right, (byte)Wrong, (byte)Bent) + 1;
        var size = Math.Min(Math.Min(buffer.Length, nextSize()), stop > 0 ? stop : next.Length);
        next[..size].CopyTo(buffer);
        said.Write(next[..size]);
        at += size;
        return size;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        BrokenException.Unless(heard.Length + buffer.Length <= maxHeard, $"no more than {maxHeard} octets are said for {script.Length} heard");
        heard.Write(buffer);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            login.Exchange?.Dispose();
        base.Dispose(disposing);
    }

    private bool IsAtLineStart => said.Length == 0 || said.GetBuffer()[said.Length - 1] == '\n';

    private bool IsMarker(int where) => rest[where] is (byte)Right or (byte)Wrong or (byte)Bent;

    /// <summary>Null when the last line heard is no challenge.</summary>
    private byte[]? LastChallenge()
    {
        var octets = Heard.Span;
        if (!octets.EndsWith("\r\n"u8))
            return null;
        octets = octets[..^2];
        octets = octets[(octets.LastIndexOf((byte)'\n') + 1)..];
        return octets.StartsWith("334 "u8) && StrictBase64.TryDecode(octets[4..], out var challenge) ? challenge : null;
    }

    /// <summary>Puts the answer in the place of the marker's line.</summary>
    private void Answer(byte[] challenge)
    {
        var (kind, user) = ((char)rest[at], at + 1 < rest.Length ? (char)rest[at + 1] : 'a');
        var end = rest.AsSpan(at).IndexOf((byte)'\n');
        var response = Respond(challenge, user, kind == Wrong);
        if (kind == Bent && response.Length > 0)
            response[response.Length * 2 / 3] ^= 1;
        var tail = end < 0 ? [] : rest.AsSpan(at + end + 1).ToArray();
        rest = [.. Encoding.ASCII.GetBytes(Convert.ToBase64String(response)), (byte)'\r', (byte)'\n', .. tail];
        at = 0;
    }

    private byte[] Respond(byte[] challenge, char user, bool isWrong)
    {
        var spoken = Encoding.Latin1.GetString(said.GetBuffer(), 0, (int)said.Length);
        var start = spoken.LastIndexOf("AUTH ", StringComparison.OrdinalIgnoreCase);
        if (start < 0)
            return [];
        var isFirst = login.Exchange is null || login.Start != start;
        if (isFirst)
        {
            login.Exchange?.Dispose();
            var name = spoken[(start + 5)..].Split('\r', ' ')[0];
            login = (start, SaslClientMechanisms.All.FirstOrDefault(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.TryStart(credentials(user, isWrong)));
        }

        if (login.Exchange is not { } exchange)
            return challenge;
        var step = isFirst ? exchange.Next(challenge: null) : exchange.Next(challenge);
        if (isFirst && step is SaslClientStep.Response { Data: null })
            step = exchange.Next(challenge);
        return step is SaslClientStep.Response { Data: { } data } ? data.ToArray() : [];
    }
}
