using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;

namespace Postern.Relay.Accounts;

/// <summary>Which mechanisms the stores can serve, by the forms of their secrets.</summary>
public static class MechanismOffer
{
    /// <summary>
    /// The mechanisms to offer where a listener names none, strongest first: those that every user of every store can use. Clients take the
    /// strongest on offer and do not try another, so one that only some can use would keep the others out. What other verifiers than stores
    /// serve is on the list whether or not they are there: what nobody can answer is left out by the server.
    /// </summary>
    /// <param name="commonForms">Of each store.</param>
    /// <param name="elsewhere">What the only store answers itself; null for nothing.</param>
    public static ImmutableArray<string> Usual(
        IEnumerable<StoredForms> commonForms, IEnumerable<ISaslMechanism>? elsewhere = null)
    {
        var common = commonForms.Aggregate(StoredForms.All, static (all, forms) => all & forms);
        ISaslMechanism[] others = [.. elsewhere ?? []];
        return
        [
            .. SaslMechanisms.All
                .Where(m => (!m.IsOptIn && (NeededBy(m) & ~common) == StoredForms.None) || others.Contains(m))
                .Select(static m => m.Name),
        ];
    }

    /// <summary>What a stored secret must serve for this mechanism; nothing for one that works without stored secrets.</summary>
    public static StoredForms NeededBy(ISaslMechanism mechanism) => mechanism switch
    {
        ScramMechanism scram => ScramHash.FormOf(scram.Algorithm),
        CramMd5Mechanism => StoredForms.Shared,
        DigestMd5Mechanism => StoredForms.Digest,
        PlainMechanism or LoginMechanism => StoredForms.Password,
        _ => StoredForms.None,
    };
}
