namespace Postern.Smtp.Transport;

/// <summary>What becomes of content with a CR or LF that stands alone. Neither is ever a line end for the dialogue, and neither ends a message.</summary>
public enum BareNewlines
{
    /// <summary>The message is refused with 554 once it has been read to its end.</summary>
    Reject,

    /// <summary>Each becomes CRLF: for devices that cannot do better.</summary>
    Normalize,
}
