namespace Postern.Smtp.Extensions;

/// <summary>ENHANCEDSTATUSCODES (RFC 2034, RFC 3463, RFC 5248): every reply but greeting, EHLO and intermediate ones carries one.</summary>
internal static class EnhancedStatusCodes
{
    public static readonly Extension Row = new("ENHANCEDSTATUSCODES", static _ => "ENHANCEDSTATUSCODES");
}
