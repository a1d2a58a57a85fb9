namespace Postern.Smtp.Replies;

/// <summary>What one reply of a peer may cost. RFC 5321 §4.5.3.1.5 allows 512 octets a line; real servers go beyond.</summary>
/// <param name="LineOctets">A line, CRLF included.</param>
/// <param name="Lines">Lines of one reply.</param>
/// <param name="TotalOctets">All lines of one reply.</param>
public sealed record ReplyLimits(int LineOctets = 2048, int Lines = 128, int TotalOctets = 32 * 1024)
{
    /// <summary>Generous to servers, and finite.</summary>
    public static ReplyLimits Default { get; } = new();
}
