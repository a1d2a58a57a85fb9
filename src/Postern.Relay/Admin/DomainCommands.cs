using System.Collections.Immutable;
using Dapper;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Admin;

/// <summary>Changes the sender domains of the directory, and which of them take mail from anyone.</summary>
/// <remarks><see cref="DirectoryCommands"/> says what all changes have in common.</remarks>
public sealed class DomainCommands
{
    private readonly DirectoryChanges changes;

    internal DomainCommands(DirectoryChanges changes) => this.changes = changes;

    /// <summary>
    /// Adds a sender domain; with <paramref name="accept"/> its recipients are accepted from anyone, also when it is there already.
    /// </summary>
    public AdminOutcome Add(string domain, bool accept)
    {
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        return changes.Change(accept ? "domain add --accept" : "domain add", name, sql =>
        {
            var accepts = sql.QuerySingleOrDefault<long?>("select accepts from domains where name = @name", new { name });
            if (accepts is not null && (!accept || accepts > 0))
                return new AdminOutcome.AlreadyThere(
                    $"domain {name} exists already{(accepts > 0 ? " and accepts its recipients" : string.Empty)}");
            sql.Execute(
                "insert into domains (name, accepts) values (@name, @accept) on conflict (name) do update set accepts = excluded.accepts",
                new { name, accept });
            return new AdminOutcome.Done(accept ? $"domain {name}: recipients are accepted from anyone" : $"domain {name} added")
            {
                Changes =
                [
                    .. accepts is null ? [new AdminChange("domain", Before: null, name)] : ImmutableArray<AdminChange>.Empty,
                    .. accept ? [new AdminChange("accepts", accepts is null ? null : "false", "true")] : ImmutableArray<AdminChange>.Empty,
                ],
            };
        });
    }

    /// <summary>Refused while networks may send for it. Grants of accounts stay.</summary>
    public AdminOutcome Remove(string domain)
    {
        if (!MailNames.TryDomain(domain, out var name))
            return DirectoryLookups.NotADomain(domain);
        return changes.Change("domain remove", name, sql =>
        {
            var networks = sql.Query<string>("select cidr from networks where domain = @name order by cidr", new { name }).ToList();
            if (networks.Count > 0)
                return new AdminOutcome.Invalid(
                    $"networks may send for {name}: {string.Join(", ", networks)}; first: "
                        + $"postern network remove {networks[0]} --domain {name}");
            return sql.Execute("delete from domains where name = @name", new { name }) > 0
                ? new AdminOutcome.Done($"domain {name} removed") { Changes = [new AdminChange("domain", name, After: null)] }
                : DirectoryLookups.NoDomain(sql, name);
        });
    }
}
