namespace Postern.Smtp.Client;

/// <summary>
/// What to do with 8-bit content when the server lacks 8BITMIME. RFC 6152 §3 names conversion and refusal; conversion rewrites the
/// body, which breaks signatures, so it is not offered.
/// </summary>
public enum EightBitFallback
{
    /// <summary>Send the octets as they are, without BODY=: every server in use passes them, and a refusal would lose the message.</summary>
    SendAsIs,

    /// <summary>Refuse for all recipients with 5.6.3, as the RFC's letter asks.</summary>
    Refuse,
}
