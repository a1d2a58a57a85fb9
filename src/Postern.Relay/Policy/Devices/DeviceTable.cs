using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Policy.Devices;

/// <summary>All entries of <c>devices</c>, in order. Immutable.</summary>
/// <param name="all">Of two that a client is in the first counts.</param>
/// <param name="ownListeners">Listeners that are there for devices alone.</param>
public sealed class DeviceTable(IEnumerable<DeviceTerms> all, IEnumerable<string> ownListeners)
{
    private readonly ImmutableArray<string> own = [.. ownListeners];

    /// <summary>There are none.</summary>
    public static DeviceTable Empty { get; } = new([], []);

    internal ImmutableArray<DeviceTerms> All { get; } = [.. all];

    public bool IsEmpty => All.IsEmpty;

    /// <summary>What is said of a client; null where it is none of the devices.</summary>
    public DeviceTerms? Find(string listener, IPAddress client)
    {
        foreach (var terms in All)
        {
            if (terms.Fits(listener, client))
                return terms;
        }

        return null;
    }

    /// <summary>The listener is there for devices alone.</summary>
    internal bool IsOwn(string listener) => own.Contains(listener, StringComparer.OrdinalIgnoreCase);

    /// <summary>The lists of rules of all of them, by their names.</summary>
    internal ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> AddTo(
        ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> lists)
    {
        var added = lists.ToBuilder();
        foreach (var terms in All)
        {
            foreach (var stage in Enum.GetValues<RuleStage>())
            {
                if (terms.RulesAt(stage) is { IsEmpty: false } rules)
                    added[terms.ListAt(stage)] = rules;
            }
        }

        return added.ToImmutable();
    }

    /// <summary>The same with another entry in the place of each.</summary>
    internal DeviceTable With(Func<DeviceTerms, DeviceTerms> change) => new(All.Select(change), own);
}
