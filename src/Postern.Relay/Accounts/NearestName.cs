namespace Postern.Relay.Accounts;

/// <summary>Finds what a person may have meant.</summary>
public static class NearestName
{
    /// <summary>
    /// The candidate with the fewest letters changed, added, left out or swapped; else an address whose local part was written alone; null
    /// when none is near.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        var limit = Math.Max(1, name.Length / 4);
        string? best = null;
        string? address = null;
        foreach (var candidate in candidates)
        {
            if (candidate.Length > name.Length + 1
                && candidate[name.Length] == '@'
                && candidate.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                address ??= candidate;
            if (Math.Abs(candidate.Length - name.Length) > limit)
                continue;
            var distance = Distance(name, candidate);
            if (distance > limit)
                continue;
            (best, limit) = (candidate, distance - 1);
        }

        return best ?? address;
    }

    /// <summary>The hint to append to a message: <c>; did you mean 'x'?</c> or nothing.</summary>
    public static string Hint(string name, IEnumerable<string> candidates) =>
        Of(name, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : string.Empty;

    private static int Distance(string a, string b)
    {
        var before = new int[b.Length + 1];
        var last = new int[b.Length + 1];
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j - 1], last[j]) + 1, last[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
            }

            (before, last, row) = (last, row, before);
        }

        return last[b.Length];
    }
}
