using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// What has been read of one state of the database; thrown away whole when the state changes. Names that do not exist have
/// their own room, so that a flood of them does not push out those that do.
/// </summary>
internal sealed class DirectoryCache(int version, DirectoryCosts costs)
{
    private const int KnownCapacity = 100_000;
    private const int UnknownCapacity = 4_096;

    private readonly BoundedMap<AccountFacts> accounts = new(KnownCapacity);
    private readonly BoundedMap<AccountFacts> strangers = new(UnknownCapacity);
    private readonly BoundedMap<DomainFacts> domains = new(KnownCapacity);
    private readonly BoundedMap<DomainFacts> foreignDomains = new(UnknownCapacity);

    private bool areCostsRead;

    /// <summary>Null as long as nobody asked.</summary>
    public StrongBox<StoredForms>? CommonForms { get; set; }

    /// <summary>The connection's data_version at which this was read.</summary>
    public int Version => version;

    public AccountFacts? Account(string name) =>
        accounts.TryGet(name, out var facts) || strangers.TryGet(name, out facts) ? facts : null;

    public DomainFacts? Domain(string name) =>
        domains.TryGet(name, out var facts) || foreignDomains.TryGet(name, out facts) ? facts : null;

    /// <summary>Once for each state of the database.</summary>
    public void ReadCosts(SqliteConnection sql)
    {
        if (!areCostsRead)
            costs.Read(sql);
        areCostsRead = true;
    }

    public AccountFacts Add(string name, AccountFacts facts)
    {
        if (facts.Login is StoreAnswer.Known(var login))
            costs.Note(login.Costs);
        (facts.Account is null ? strangers : accounts).Add(name, facts);
        return facts;
    }

    public DomainFacts Add(string name, DomainFacts facts)
    {
        (facts.IsListed ? domains : foreignDomains).Add(name, facts);
        return facts;
    }
}
