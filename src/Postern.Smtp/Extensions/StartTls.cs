namespace Postern.Smtp.Extensions;

/// <summary>STARTTLS (RFC 3207): announced until TLS is on.</summary>
internal static class StartTls
{
    public static readonly Extension Row = new("STARTTLS", static offer => offer.OffersTls ? "STARTTLS" : null);
}
