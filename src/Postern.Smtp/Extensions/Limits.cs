using System.Globalization;

namespace Postern.Smtp.Extensions;

/// <summary>
/// LIMITS (RFC 9422): how many recipients a transaction may have. Transactions are not counted here, so nothing is said of them.
/// </summary>
internal static class Limits
{
    public static readonly Extension Row = new(
        "LIMITS", static offer => string.Create(CultureInfo.InvariantCulture, $"LIMITS RCPTMAX={offer.Limits.Recipients}"));
}
