namespace Postern.Smtp.Replies;

/// <summary>Why no reply could be read.</summary>
internal enum ReplyFault
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>What came is no SMTP reply, or exceeds <see cref="ReplyLimits"/>.</summary>
    Malformed,

    /// <summary>The peer closed or reset the connection before the reply was complete.</summary>
    Lost,
}
