namespace Postern.Smtp.Extensions;

/// <summary>CHUNKING (RFC 3030 §2): content by BDAT, in chunks of a known length.</summary>
internal static class Chunking
{
    public static readonly Extension Row = new("CHUNKING", static _ => "CHUNKING");
}
