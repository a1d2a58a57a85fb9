namespace Postern.Smtp.Session;

/// <summary>What BODY= said of the content.</summary>
public enum BodyType
{
    /// <summary>Lines of US-ASCII; also what a client without BODY= says.</summary>
    SevenBit,

    /// <summary>Lines of any octets (RFC 6152).</summary>
    EightBitMime,

    /// <summary>Octets without a line structure; only ever sent by BDAT (RFC 3030).</summary>
    BinaryMime,
}
