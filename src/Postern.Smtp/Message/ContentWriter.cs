using System.Buffers;

namespace Postern.Smtp.Message;

/// <summary>
/// The way of content into a draft, by DATA and by BDAT: counts what is kept, normalizes line ends and takes NUL out where that is the
/// rule, and writes nothing more once the message is too large or not in order. Lines may have any length: RFC 5321 §4.5.3.1.6 asks for
/// 1000 octets, real programs send more, and none is lost by it, as no line is ever held.
/// </summary>
internal sealed class ContentWriter(IMessageDraft draft, long maxOctets, LineEndRule rule)
{
    /// <summary>How far past the limit a client is read, so that it can be told 552, before the connection is dropped.</summary>
    public const long PatienceOctets = 64L * 1024 * 1024;

    private LineEndNormalizer normalizer;

    public LineEndRule Rule => rule;

    /// <summary>Octets so far as the draft gets them, whether or not it still does.</summary>
    public long Octets { get; private set; }

    /// <summary>A bare CR or LF was found where the rule is to reject.</summary>
    public bool HasBareLineEnd { get; private set; }

    /// <summary>A NUL was found where the rule is to reject.</summary>
    public bool HasNul { get; private set; }

    public bool IsTooBig => Sent > maxOctets;

    /// <summary>Nothing that comes now can still make a message.</summary>
    public bool IsEndless => Sent > maxOctets + PatienceOctets;

    /// <summary>What was taken out has been sent, and counts.</summary>
    private long Sent => Octets + normalizer.Removed;

    private bool IsOutOfOrder => HasBareLineEnd || HasNul;

    /// <summary>What was found so far in the content that came, whatever the rule is.</summary>
    public void Note(bool hasBareLineEnd, bool hasNul)
    {
        HasBareLineEnd |= hasBareLineEnd && rule == LineEndRule.Reject;
        HasNul |= hasNul && rule == LineEndRule.Reject;
    }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        if (rule != LineEndRule.Normalize)
        {
            await WriteAsync(content, ct);
            return;
        }

        var octets = ArrayPool<byte>.Shared.Rent(LineEndNormalizer.MaxLength(content.Length));
        try
        {
            var written = normalizer.Write(content.Span, octets);
            await WriteAsync(octets.AsMemory(0, written), ct);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(octets);
        }
    }

    private ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        Octets += content.Length;
        return IsTooBig || IsOutOfOrder || content.IsEmpty ? ValueTask.CompletedTask : draft.AppendAsync(content, ct);
    }
}
