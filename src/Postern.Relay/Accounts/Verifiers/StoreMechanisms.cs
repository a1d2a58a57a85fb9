using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// Which mechanisms a store answers itself. A client has chosen one before anybody knows who he is, so each has one place: a store that the
/// configuration names for it, the first of several; where one store alone is asked, that one, for what this server cannot answer; else
/// this server.
/// </summary>
internal sealed class StoreMechanisms(LoginParts parts, IAuthorizationGrants grants) : ISaslElsewhere
{
    private const string Plus = "-PLUS";

    /// <summary>
    /// Those that every user can use where a listener names none, beside those of <see cref="MechanismOffer"/>: what the only store that
    /// is asked answers itself, without what is weak.
    /// </summary>
    public IEnumerable<ISaslMechanism> Usual => parts.Stores.Stores is [{ OwnMechanisms: { } own }]
        ? SaslMechanisms.All.Where(m => !m.IsOptIn && Answers(own, m.Name))
        : [];

    /// <summary>What is answered elsewhere now, in words that change when it does; empty for nothing.</summary>
    public string Signature => string.Join(
        ' ', parts.Stores.Stores.Select(static s => s.OwnMechanisms).OfType<IMechanismStore>().SelectMany(static own => own.Offered));

    public bool TryStart(ISaslMechanism mechanism, SaslContext context, out ISaslExchange? exchange)
    {
        exchange = null;
        if (mechanism is PlainMechanism or LoginMechanism or ExternalMechanism or AnonymousMechanism)
            return false;
        if (mechanism.Name.EndsWith(Plus, StringComparison.Ordinal))
            // Clients take it before all others, and it would be another place's than what it is the stronger form of.
            return SaslMechanisms.All.Any(m => mechanism.Name == m.Name + Plus && FindFor(m, context) is not null);
        if (FindFor(mechanism, context) is not { } store)
            return false;
        var client = new LoginClient(context.Peer, context.Connection);
        exchange = new LoginElsewhere(parts, grants, store, mechanism.Name, client);
        return true;
    }

    private IAccountStore? FindFor(ISaslMechanism mechanism, SaslContext context)
    {
        var stores = parts.Stores.Stores;
        foreach (var store in stores)
        {
            if (store.OwnMechanisms is not { } own || !Answers(own, mechanism.Name))
                continue;
            if (!own.Named.IsDefault || (stores.Count == 1 && mechanism.TryStart(context) is null))
                return store;
        }

        return null;
    }

    private static bool Answers(IMechanismStore own, string mechanism) =>
        own.Offered.Contains(mechanism, StringComparer.Ordinal)
        && (own.Named.IsDefault || own.Named.Contains(mechanism, StringComparer.OrdinalIgnoreCase));
}
