namespace Postern.Smtp.Replies;

/// <summary>What reading one reply came to: a reply, or a fault and what was wrong in words.</summary>
internal readonly record struct ReplyRead(Reply? Reply, ReplyFault Fault, string? Detail)
{
    internal static ReplyRead Malformed(string detail) => new(Reply: null, ReplyFault.Malformed, detail);

    internal static ReplyRead Lost(string detail) => new(Reply: null, ReplyFault.Lost, detail);
}
