using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// What has been read of one state of the database; thrown away whole when the state changes. Names that do not exist have
/// their own room, so that a flood of them does not push out those that do.
/// </summary>
internal sealed class DirectoryCache(int version, DirectoryCosts costs)
{
    private const int KnownCapacity = 100_000;
    private const int UnknownCapacity = 4_096;

    private readonly BoundedMap<Suppression[]> suppressed = new(KnownCapacity);
    private readonly BoundedMap<Suppression[]> unsuppressed = new(UnknownCapacity);
    private readonly BoundedMap<LoginAnswer> accounts = new(KnownCapacity);
    private readonly BoundedMap<LoginAnswer> strangers = new(UnknownCapacity);
    private readonly BoundedMap<DomainFacts> domains = new(KnownCapacity);
    private readonly BoundedMap<DomainFacts> foreignDomains = new(UnknownCapacity);

    private readonly BoundedMap<string> owners = new(KnownCapacity);
    private readonly BoundedMap<string> ownerless = new(UnknownCapacity);

    private readonly BoundedMap<SigningKeys> signing = new(KnownCapacity);
    private readonly BoundedMap<SigningKeys> unsigned = new(UnknownCapacity);

    private readonly BoundedMap<object> others = new(UnknownCapacity);

    private bool areCostsRead;
    private bool? hasSuppressions;

    /// <summary>Null as long as nobody asked.</summary>
    public StrongBox<StoredForms>? CommonForms { get; set; }

    /// <summary>Whether any domain has a key that signs; null as long as nobody asked.</summary>
    public StrongBox<bool>? HasSigningKeys { get; set; }

    /// <summary>The connection's data_version at which this was read.</summary>
    public int Version => version;

    public LoginAnswer? Account(string name) =>
        accounts.TryGet(name, out var facts) || strangers.TryGet(name, out facts) ? facts : null;

    /// <summary>Null where it is not known; nothing has to be asked while there is no entry at all.</summary>
    public Suppression[]? Suppressions(string address) =>
        hasSuppressions == false ? []
        : suppressed.TryGet(address, out var found) || unsuppressed.TryGet(address, out found) ? found : null;

    /// <param name="hasAny">Whether there is an entry at all: asked once for each state of the database.</param>
    public Suppression[] Add(string address, Suppression[] found, Func<SqliteConnection, bool> hasAny, SqliteConnection sql)
    {
        hasSuppressions ??= found.Length > 0 || hasAny(sql);
        (found.Length > 0 ? suppressed : unsuppressed).Add(address, found);
        return found;
    }

    public DomainFacts? Domain(string name) =>
        domains.TryGet(name, out var facts) || foreignDomains.TryGet(name, out facts) ? facts : null;

    /// <summary>Empty for nobody; null where it is not known.</summary>
    public string? Owner(string address) =>
        owners.TryGet(address, out var name) || ownerless.TryGet(address, out name) ? name : null;

    public SigningKeys? SigningKeys(string domain) =>
        signing.TryGet(domain, out var keys) || unsigned.TryGet(domain, out keys) ? keys : null;

    /// <summary>What another part of the program keeps in the database; null where it is not known.</summary>
    public T? Other<T>(string key)
        where T : class => others.TryGet(key, out var found) ? found as T : null;

    public T AddOther<T>(string key, T found)
        where T : class
    {
        others.Add(key, found);
        return found;
    }

    /// <param name="name">Empty for nobody.</param>
    public string AddOwner(string address, string name)
    {
        (name.Length == 0 ? ownerless : owners).Add(address, name);
        return name;
    }

    /// <summary>Once for each state of the database.</summary>
    public void ReadCosts(SqliteConnection sql)
    {
        if (!areCostsRead)
            costs.Read(sql);
        areCostsRead = true;
    }

    public LoginAnswer Add(string name, LoginAnswer facts)
    {
        if (facts is LoginAnswer.Found<StoredLogin> { Stored: var login })
            costs.Note(login.Costs);
        (facts is LoginAnswer.NoMatch ? strangers : accounts).Add(name, facts);
        return facts;
    }

    public SigningKeys Add(string domain, SigningKeys keys)
    {
        (keys.Active.IsEmpty ? unsigned : signing).Add(domain, keys);
        return keys;
    }

    public DomainFacts Add(string name, DomainFacts facts)
    {
        (facts.IsListed ? domains : foreignDomains).Add(name, facts);
        return facts;
    }
}
