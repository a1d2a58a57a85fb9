using System.Globalization;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>Weak stored forms in words, for an operator.</summary>
internal static class WeakForms
{
    /// <summary>How many there are of each; null for none.</summary>
    public static string? Describe(IEnumerable<PasswordHash> hashes)
    {
        var kinds = hashes.Where(static h => h.Weakness is not null).CountBy(static h => h.Scheme).OrderByDescending(static k => k.Value)
            .ThenBy(static k => k.Key, StringComparer.Ordinal).ToList();
        if (kinds.Count == 0)
            return null;
        var all = kinds.Sum(static k => k.Value);
        var each = string.Join(", ", kinds.Select(static k => string.Create(CultureInfo.InvariantCulture, $"{k.Value} {k.Key}")));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{all} {(all == 1 ? "password is" : "passwords are")} kept in a form from which it is soon guessed when stolen ({each})");
    }
}
