using System.Net.Sockets;
using System.Text;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// One connection to a policy service: a question, its answer, the next question (SMTPD_POLICY_README of Postfix). The answer is lines of
/// <c>name=value</c> with an empty one at the end; <c>action</c> is what it says. After anything else, and after octets behind that end,
/// nothing that is read here can be believed to belong to the next question: the connection is used no more.
/// </summary>
internal sealed class PolicyConnection(Socket socket) : IDisposable
{
    /// <summary>Of an answer. PREPEND has the longest, a header field.</summary>
    public const int MostOctets = 8 * 1024;

    private readonly byte[] buffer = new byte[MostOctets];

    /// <summary>A timestamp of when it began to wait for its next question; null where this is its first.</summary>
    public long? Since { get; set; }

    /// <summary>It can be asked again.</summary>
    public bool IsClean { get; private set; } = true;

    /// <summary>While nobody asks, nothing is to be read: what is there is no answer, or the end.</summary>
    public bool IsSilent()
    {
        try
        {
            return !socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <exception cref="OperationCanceledException">The connection cannot be used any more.</exception>
    public async ValueTask<PolicyReply> AskAsync(ReadOnlyMemory<byte> question, CancellationToken ct)
    {
        IsClean = false;
        var length = 0;
        try
        {
            while (!question.IsEmpty)
                question = question[await socket.SendAsync(question, ct)..];
            while (true)
            {
                if (length == buffer.Length)
                    return new PolicyReply.Broken("its answer is longer than 8 KiB, without an empty line");
                var read = await socket.ReceiveAsync(buffer.AsMemory(length), ct);
                if (read == 0)
                    return length == 0
                        ? new PolicyReply.Closed("it closed the connection without an answer")
                        : new PolicyReply.Broken("it closed the connection in the middle of its answer");
                length += read;
                if (EndOf(buffer.AsSpan(0, length)) is >= 0 and var end)
                {
                    IsClean = end == length;
                    return Read(buffer.AsSpan(0, end));
                }
            }
        }
        catch (SocketException e)
        {
            return length == 0
                ? new PolicyReply.Closed($"the connection broke: {e.Message}")
                : new PolicyReply.Broken($"the connection broke in the middle of its answer: {e.Message}");
        }
    }

    public void Dispose() => socket.Dispose();

    /// <summary>Where the answer ends, behind its empty line; negative where that has not come.</summary>
    private static int EndOf(ReadOnlySpan<byte> octets)
    {
        for (var at = 0; at < octets.Length;)
        {
            var line = octets[at..].IndexOf((byte)'\n');
            if (line < 0)
                return -1;
            at += line + 1;
            if (line == 0 || (line == 1 && octets[at - 2] == '\r'))
                return at;
        }

        return -1;
    }

    private PolicyReply Read(ReadOnlySpan<byte> octets)
    {
        string? action = null;
        foreach (var range in octets.Split((byte)'\n'))
        {
            var line = octets[range];
            line = line is [.., (byte)'\r'] ? line[..^1] : line;
            if (line.IsEmpty)
                continue;
            var equals = line.IndexOf((byte)'=');
            if (equals <= 0)
                return Broken("a line of its answer is not name=value");
            if (!line[..equals].SequenceEqual("action"u8))
                continue;
            if (action is not null)
                return Broken("its answer has two actions");
            action = Encoding.UTF8.GetString(line[(equals + 1)..]).Trim(' ');
        }

        return action is { Length: > 0 } ? new PolicyReply.Action(action) : Broken("its answer has no action");
    }

    private PolicyReply.Broken Broken(string why)
    {
        IsClean = false;
        return new PolicyReply.Broken(why);
    }
}

/// <summary>What a policy service said.</summary>
internal abstract record PolicyReply
{
    private PolicyReply()
    {
    }

    /// <param name="Text">Behind <c>action=</c>, as it came: it may hold anything but a line end.</param>
    public sealed record Action(string Text) : PolicyReply;

    /// <summary>The connection ended before an octet of the answer.</summary>
    public sealed record Closed(string Why) : PolicyReply;

    /// <summary>It cannot be reached, or what it says is no answer.</summary>
    public sealed record Broken(string Why) : PolicyReply;
}
