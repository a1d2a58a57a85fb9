namespace Postern.Relay.Delivery;

/// <summary>An order by chance in which what weighs more comes first more often (RFC 2782).</summary>
internal static class WeightedOrder
{
    public static IEnumerable<T> Of<T>(IReadOnlyCollection<T> items, Func<T, int> weightOf, Random random)
    {
        var left = items.ToList();
        while (left.Count > 0)
        {
            // One that weighs nothing has a small chance, as the RFC asks.
            var at = random.NextInt64(left.Sum(item => 1L + (weightOf(item) * 100L)));
            var chosen = left.FindIndex(item => (at -= 1L + (weightOf(item) * 100L)) < 0);
            yield return left[chosen];
            left.RemoveAt(chosen);
        }
    }
}
