namespace Postern.Smtp.Message;

/// <summary>What becomes of a CR or LF that stands alone, and of NUL, in the content of one message.</summary>
internal enum LineEndRule
{
    /// <summary>The message is refused.</summary>
    Reject,

    /// <summary>Each CR and LF becomes CRLF, NUL is taken out.</summary>
    Normalize,

    /// <summary>Octets are octets: BODY=BINARYMIME (RFC 3030 §3).</summary>
    Keep,
}
