namespace Postern.Relay.Policy;

/// <summary>Finds the word that was probably meant: the one with the fewest letters to change, add or drop.</summary>
public static class NearestWord
{
    /// <summary>Null when more than a third of the letters would have to change.</summary>
    public static string? Of(string word, IEnumerable<string> known)
    {
        string? nearest = null;
        var least = (Math.Max(word.Length, 3) / 3) + 1;
        foreach (var candidate in known)
        {
            var distance = Distance(word, candidate);
            if (distance < least)
                (nearest, least) = (candidate, distance);
        }

        return nearest;
    }

    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var change = diagonal + (char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
