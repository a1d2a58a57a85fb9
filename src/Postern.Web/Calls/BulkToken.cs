using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Web.Calls;

/// <summary>
/// Confirms that so many things were shown to somebody before they are all changed; good for a minute, for the same change.
/// </summary>
/// <param name="what">All that says which change of what.</param>
internal readonly struct BulkToken(string what)
{
    private static readonly TimeSpan Holds = TimeSpan.FromMinutes(1);

    /// <summary>It outlives no restart, and need not.</summary>
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    public string Of(int count, ServedRelay server) =>
        Sign(string.Create(CultureInfo.InvariantCulture, $"{count}.{server.Clock.GetUtcNow().Add(Holds).ToUnixTimeSeconds()}"));

    /// <summary>The number that was shown; null where the token is another's, or over.</summary>
    public int? CountOf(string token, ServedRelay server) =>
        token.Split('.') is [var count, var until, _]
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Sign($"{count}.{until}")), Encoding.UTF8.GetBytes(token))
            && long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            && server.Clock.GetUtcNow().ToUnixTimeSeconds() <= end
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var shown)
            ? shown
            : null;

    private string Sign(string said) =>
        $"{said}.{Convert.ToHexStringLower(HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes($"{said} {what}")))}";
}
