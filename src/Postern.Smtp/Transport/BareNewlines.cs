namespace Postern.Smtp.Transport;

/// <summary>What becomes of a CR or LF that stands alone, and of NUL in content. None of them ever ends a message.</summary>
public enum BareNewlines
{
    /// <summary>A message with one is refused with 554 once it has been read to its end; a command line with one ends the connection.</summary>
    Reject,

    /// <summary>In content each becomes CRLF, and a NUL is taken out. A command line, or a response to a challenge, may end in LF. For devices that cannot do better.</summary>
    Normalize,
}
