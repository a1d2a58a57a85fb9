using System.Collections.Immutable;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// Work that wrong passwords cost, in units of each kind of hash. A kind is one computation with one setting that a unit of work is counted
/// in: rounds of PBKDF2 or SHA-crypt, doublings of bcrypt, whole hashes of the others. Immutable.
/// </summary>
public sealed class HashCosts
{
    private readonly ImmutableSortedDictionary<string, (long Units, PasswordHash Like)> units;

    private HashCosts(ImmutableSortedDictionary<string, (long Units, PasswordHash Like)> units) => this.units = units;

    /// <summary>No work at all.</summary>
    public static HashCosts None { get; } = new(
        ImmutableSortedDictionary.Create<string, (long Units, PasswordHash Like)>(StringComparer.Ordinal));

    /// <summary>What one wrong password costs, tried with every one of these. What they have in common is computed once.</summary>
    public static HashCosts Of(IEnumerable<PasswordHash> hashes)
    {
        var sum = None.units;
        var computed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var hash in hashes)
        {
            if (hash.Cost is { Units: > 0 } cost && (hash.Computation is not { } computation || computed.Add(computation)))
                sum = sum.SetItem(cost.Kind, (sum.GetValueOrDefault(cost.Kind).Units + cost.Units, hash));
        }

        return new HashCosts(sum);
    }

    /// <summary>The most of both, kind by kind; itself where the other has nothing more.</summary>
    public HashCosts Most(HashCosts other)
    {
        var most = units;
        foreach (var (kind, count) in other.units)
        {
            if (count.Units > most.GetValueOrDefault(kind).Units)
                most = most.SetItem(kind, count);
        }

        return ReferenceEquals(most, units) ? this : new HashCosts(most);
    }

    /// <summary>
    /// What is left to do for whoever has done <paramref name="done"/>, and a hash that can do it (<see cref="PasswordHash.Spend"/>).
    /// </summary>
    public IEnumerable<(HashCost Cost, PasswordHash Like)> Beyond(HashCosts done)
    {
        foreach (var (kind, (count, like)) in units)
        {
            var missing = count - done.units.GetValueOrDefault(kind).Units;
            if (missing > 0)
                yield return (new HashCost(kind, missing), like);
        }
    }

    public override string ToString() => string.Join(", ", units.Select(static u => new HashCost(u.Key, u.Value.Units)));
}
