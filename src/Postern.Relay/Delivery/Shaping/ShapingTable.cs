using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>
/// All that is said about mail that leaves: what ships with the program, and over it what the operator says. The entry with the most
/// specific condition counts that says anything about a key: a domain before a host, that before a route, that before a tenant, that
/// before all mail; of two conditions of a kind the longer pattern; of equals the operator's, and of those the last. A rate is looked for
/// among the entries of the tenant, among the others of the route, and among all others, and all that is found holds together. Immutable.
/// </summary>
public sealed class ShapingTable
{
    private readonly ShapingEntry[] entries;

    private ShapingTable(ShapingEntry[] entries)
    {
        this.entries = entries;
        HasPaces = entries.Any(static e => ShapingKey.Paces.Any(e.Values.ContainsKey));
        HasRetry = Says(ShapingKey.RetryFirst) || Says(ShapingKey.Greylisted);
        AsksForHosts = entries.Any(
            static e => !e.Hosts.IsEmpty && (!e.IsShipped || e.Values.Keys.Any(static k => k.IsForTenants)));
        Routes = entries.Select(static e => e.Route).OfType<string>().ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Nothing is said.</summary>
    public static ShapingTable Empty { get; } = new([]);

    /// <summary>What ships with the program alone.</summary>
    public static ShapingTable Shipped { get; } = Of([]);

    /// <summary>Something is said about rates of messages, recipients or bytes.</summary>
    public bool HasPaces { get; }

    /// <summary>Something is said about when to try again.</summary>
    public bool HasRetry { get; }

    /// <summary>What a message waits for can depend on the host that a domain's mail goes to.</summary>
    internal bool AsksForHosts { get; }

    /// <summary>Routes about which something is said.</summary>
    public FrozenSet<string> Routes { get; }

    /// <summary>Every entry, the shipped ones first.</summary>
    public ImmutableArray<ShapingEntry> Entries => [.. entries];

    /// <param name="own">What the operator says, in its order.</param>
    /// <param name="withShipped">Over what ships with the program.</param>
    public static ShapingTable Of(IEnumerable<ShapingEntry> own, bool withShipped = true) =>
        new([.. withShipped ? ShippedShaping.Entries : [], .. own]);

    /// <summary>The entries about some mail, the one that counts most first.</summary>
    public ImmutableArray<ShapingEntry> For(ShapingSubject subject)
    {
        List<(ShapingEntry Entry, long Rank, int Place)>? found = null;
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].IsFor(subject))
                (found ??= []).Add((entries[i], entries[i].RankFor(subject), i));
        }

        if (found is null)
            return [];
        found.Sort(static (a, b) => a.Rank != b.Rank ? b.Rank.CompareTo(a.Rank) : b.Place.CompareTo(a.Place));
        return [.. found.Select(static f => f.Entry)];
    }

    /// <summary>What counts of a key; null where nothing is said.</summary>
    /// <param name="applying">As <see cref="For"/> gives them.</param>
    public static (ShapingEntry Entry, ShapingValue Said)? Find(ImmutableArray<ShapingEntry> applying, ShapingKey key)
    {
        foreach (var entry in applying)
        {
            if (entry.Values.TryGetValue(key, out var said))
                return (entry, said);
        }

        return null;
    }

    /// <summary>The value that counts; the fallback where nothing is said, or that there is no limit.</summary>
    internal static T ValueOf<T>(ImmutableArray<ShapingEntry> applying, ShapingKey<T> key, T fallback) =>
        Find(applying, key) is { Said.Value: T value } ? value : fallback;

    /// <summary>What holds together of a rate: at most one of the tenant, one of the route and one of the place.</summary>
    public static IEnumerable<(ShapingEntry Entry, ShapingValue Said)> FindTogether(
        ImmutableArray<ShapingEntry> applying, ShapingKey<Rate> key)
    {
        for (var level = 0; level < 3; level++)
        {
            foreach (var entry in applying)
            {
                if (LevelOf(entry) == level && entry.Values.TryGetValue(key, out var said))
                {
                    yield return (entry, said);
                    break;
                }
            }
        }
    }

    private static int LevelOf(ShapingEntry entry) => entry.Tenant is not null ? 0 : entry.Route is not null ? 1 : 2;

    private bool Says(ShapingKey key) => entries.Any(e => e.Values.ContainsKey(key));
}
