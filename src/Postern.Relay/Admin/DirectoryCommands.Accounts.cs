using System.Collections.Immutable;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;

namespace Postern.Relay.Admin;

public sealed partial class DirectoryCommands
{
    public AdminOutcome Add(AddAccount command)
    {
        if (!LoginNames.TryCanonical(command.Name, out var name) || name.Any(char.IsWhiteSpace))
            return new AdminOutcome.Invalid($"'{command.Name}' cannot be a login name: 1 to {LoginNames.MaxLength} visible characters without spaces");
        if (LoginNames.IsDisguisedAddress(command.Name))
            return new AdminOutcome.Invalid($"'{command.Name}' is no address, and would be read as one: write its signs in ASCII");
        if (!TryGrants(command.Addresses, command.Domains, actsAs: [], out var grants, out var problem))
            return problem;
        if (MailNames.TryAddress(name, out var own) && !grants.Addresses.Contains(own, StringComparer.Ordinal))
            grants = grants with { Addresses = grants.Addresses.Insert(0, own) };

        return Change("account add", name, sql =>
        {
            if (sql.ExecuteScalar<long>("select count(*) from accounts where name = @name", new { name }) > 0)
                return new AdminOutcome.AlreadyThere($"account {name} exists already");
            var id = sql.ExecuteScalar<long>(
                "insert into accounts (name, created_at) values (@name, @now); select last_insert_rowid()", new { name, now = Now });
            Insert(sql, id, grants);
            return new AdminOutcome.Done(grants.IsEmpty
                ? $"account {name} added; it may send as nobody yet: postern account grant {name} --address A"
                : $"account {name} added; it {grants.Said("may")}");
        });
    }

    public AdminOutcome Enable(string account) => SetEnabled(account, enabled: true);

    /// <summary>From the next question on it can neither log in nor send.</summary>
    public AdminOutcome Disable(string account) => SetEnabled(account, enabled: false);

    /// <summary>Removes the account with its grants and credentials.</summary>
    public AdminOutcome RemoveAccount(string account) => Change("account remove", Target(account), sql =>
    {
        if (!DirectoryLookups.TryFindAccount(sql, account, out var found, out var missing))
            return missing;
        sql.Execute("delete from accounts where id = @Id", found);
        return new AdminOutcome.Done($"account {found.Name} removed");
    });

    public AdminOutcome Grant(ChangeGrants command) => ChangeGrants("account grant", command, (sql, account, grants) =>
        Insert(sql, account.Id, grants) > 0
            ? new AdminOutcome.Done($"account {account.Name} {grants.Said("may now")}")
            : new AdminOutcome.AlreadyThere($"account {account.Name} {grants.Said("may")} already"));

    public AdminOutcome Revoke(ChangeGrants command) => ChangeGrants("account revoke", command, (sql, account, grants) =>
        Delete(sql, account.Id, grants) > 0
            ? new AdminOutcome.Done($"account {account.Name} {grants.Said("may no longer")}")
            : new AdminOutcome.NotFound($"account {account.Name} has no grant for {grants}"));

    private AdminOutcome SetEnabled(string account, bool enabled)
    {
        var word = enabled ? "enable" : "disable";
        return Change($"account {word}", Target(account), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, account, out var found, out var missing))
                return missing;
            return sql.Execute("update accounts set enabled = @enabled where id = @Id and enabled <> @enabled", new { found.Id, enabled }) > 0
                ? new AdminOutcome.Done($"account {found.Name} {word}d")
                : new AdminOutcome.AlreadyThere($"account {found.Name} is {word}d already");
        });
    }

    private AdminOutcome ChangeGrants(
        string action, ChangeGrants command, Func<SqliteConnection, DirectoryLookups.AccountKey, Grants, AdminOutcome> change)
    {
        if (!TryGrants(command.Addresses, command.Domains, command.ActsAs, out var grants, out var problem))
            return problem;
        if (grants.IsEmpty)
            return new AdminOutcome.Invalid("say which: --address A, --domain D or --act-as ACCOUNT");
        return Change(action, Target(command.Account, grants.ToString()), sql =>
            DirectoryLookups.TryFindAccount(sql, command.Account, out var found, out var missing) ? change(sql, found, grants) : missing);
    }

    private static int Insert(SqliteConnection sql, long id, Grants grants) =>
        sql.Execute("insert or ignore into account_addresses (account_id, address) values (@id, @address)", grants.Addresses.Select(address => new { id, address }))
        + sql.Execute("insert or ignore into account_domains (account_id, domain) values (@id, @domain)", grants.Domains.Select(domain => new { id, domain }))
        + sql.Execute("insert or ignore into account_act_as (account_id, name) values (@id, @name)", grants.ActsAs.Select(name => new { id, name }));

    private static int Delete(SqliteConnection sql, long id, Grants grants) =>
        sql.Execute("delete from account_addresses where account_id = @id and address = @address", grants.Addresses.Select(address => new { id, address }))
        + sql.Execute("delete from account_domains where account_id = @id and domain = @domain", grants.Domains.Select(domain => new { id, domain }))
        + sql.Execute("delete from account_act_as where account_id = @id and name = @name", grants.ActsAs.Select(name => new { id, name }));

    private static bool TryGrants(
        ImmutableArray<string> addresses, ImmutableArray<string> domains, ImmutableArray<string> actsAs, out Grants grants, out AdminOutcome.Invalid problem)
    {
        grants = new Grants([], [], []);
        problem = null!;
        foreach (var address in addresses.IsDefault ? [] : addresses)
        {
            if (!MailNames.TryAddress(address, out var canonical))
            {
                problem = new($"'{address}' is not a mail address");
                return false;
            }

            grants = grants with { Addresses = grants.Addresses.Add(canonical) };
        }

        foreach (var domain in domains.IsDefault ? [] : domains)
        {
            if (!MailNames.TryDomain(domain, out var canonical))
            {
                problem = new($"'{domain}' is not a mail domain");
                return false;
            }

            grants = grants with { Domains = grants.Domains.Add(canonical) };
        }

        foreach (var name in actsAs.IsDefault ? [] : actsAs)
        {
            if (!LoginNames.TryCanonical(name, out var canonical))
            {
                problem = new($"'{name}' is not a name that an account can have");
                return false;
            }

            grants = grants with { ActsAs = grants.ActsAs.Add(canonical) };
        }

        return true;
    }

    private sealed record Grants(ImmutableArray<string> Addresses, ImmutableArray<string> Domains, ImmutableArray<string> ActsAs)
    {
        public bool IsEmpty => Addresses.IsEmpty && Domains.IsEmpty && ActsAs.IsEmpty;

        private string Senders => string.Join(", ", Addresses.Concat(Domains.Select(d => $"any address of {d}")));

        /// <param name="may">The verb before it: <c>may</c>, <c>may now</c>.</param>
        public string Said(string may) => string.Join(" and ", ((string[])[Senders.Length > 0 ? $"{may} send as {Senders}" : string.Empty, ActsAs.IsEmpty ? string.Empty : $"{may} act as {string.Join(", ", ActsAs)}"]).Where(static t => t.Length > 0));

        public override string ToString() => string.Join(", ", Addresses.Concat(Domains.Select(d => $"any address of {d}")).Concat(ActsAs.Select(n => $"to act as {n}")));
    }
}
