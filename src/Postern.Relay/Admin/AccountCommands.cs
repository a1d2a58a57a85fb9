using System.Collections.Immutable;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Audit.Events;
using Postern.Relay.Spool.Kept;

namespace Postern.Relay.Admin;

/// <summary>Changes the accounts of the directory, and what each may do.</summary>
/// <remarks><see cref="DirectoryCommands"/> says what all changes have in common.</remarks>
public sealed class AccountCommands
{
    private const int MaxTenant = 63;

    private readonly DirectoryChanges changes;

    internal AccountCommands(DirectoryChanges changes) => this.changes = changes;

    public AdminOutcome Add(AddAccount command)
    {
        if (!LoginNames.TryCanonical(command.Name, out var name) || name.Any(char.IsWhiteSpace))
            return new AdminOutcome.Invalid(
                $"'{command.Name}' cannot be a login name: 1 to {LoginNames.MaxLength} visible characters without spaces");
        if (LoginNames.IsDisguisedAddress(command.Name))
            return new AdminOutcome.Invalid($"'{command.Name}' is no address, and would be read as one: write its signs in ASCII");
        var tenant = command.Tenant?.ToLowerInvariant();
        if (tenant is not null && WhyNoTenant(tenant) is { } wrong)
            return wrong;
        if (command.Keep is { } keep && WhyNotKept(keep) is { } span)
            return span;
        if (!Grants.TryRead(command.Addresses, command.Domains, actsAs: [], out var grants, out var problem))
            return problem;
        if (MailNames.TryAddress(name, out var own) && !grants.Addresses.Contains(own, StringComparer.Ordinal))
            grants = grants with { Addresses = grants.Addresses.Insert(0, own) };

        return changes.Change("account add", name, sql =>
        {
            if (sql.ExecuteScalar<long>("select count(*) from accounts where name = @name", new { name }) > 0)
                return new AdminOutcome.AlreadyThere($"account {name} exists already");
            var id = sql.ExecuteScalar<long>(
                "insert into accounts (name, created_at, tenant, keep) values (@name, @now, @tenant, @keep); select last_insert_rowid()",
                new { name, now = changes.Now, tenant, keep = SecondsOf(command.Keep) });
            grants.Insert(sql, id);
            var whose = tenant is null ? string.Empty : $" for tenant {tenant}";
            return new AdminOutcome.Done(grants.IsEmpty
                ? $"account {name} added{whose}; it may send as nobody yet: postern account grant {name} --address A"
                : $"account {name} added{whose}; it {grants.Said("may")}")
            {
                Changes =
                [
                    new AdminChange("account", Before: null, name),
                    .. tenant is null ? ImmutableArray<AdminChange>.Empty : [new AdminChange("tenant", Before: null, tenant)],
                    .. KeepChange(before: null, SecondsOf(command.Keep)),
                    .. Grants.None.ChangesTo(grants),
                ],
            };
        });
    }

    public AdminOutcome Enable(string account) => SetEnabled(account, enabled: true);

    /// <summary>From the next question on it can neither log in nor send.</summary>
    public AdminOutcome Disable(string account) => SetEnabled(account, enabled: false);

    /// <summary>Removes the account with its grants and credentials.</summary>
    public AdminOutcome Remove(string account) => changes.Change("account remove", DirectoryChanges.Target(account), sql =>
    {
        if (!DirectoryLookups.TryFindAccount(sql, account, out var found, out var missing))
            return missing;
        var had = Grants.Of(sql, found.Id);
        sql.Execute("delete from accounts where id = @Id", found);
        return new AdminOutcome.Done($"account {found.Name} removed")
        {
            Changes = [new AdminChange("account", found.Name, After: null), .. had.ChangesTo(Grants.None)],
        };
    });

    public AdminOutcome Grant(ChangeGrants command) =>
        command.Keep is not null
            ? ChangeKeep(command)
            : command.Tenant is not null
            ? ChangeTenant("account grant", command, isGiven: true)
            : ChangeGrants("account grant", command, (sql, account, grants) =>
        grants.Insert(sql, account.Id) > 0
            ? new AdminOutcome.Done($"account {account.Name} {grants.Said("may now")}")
            : new AdminOutcome.AlreadyThere($"account {account.Name} {grants.Said("may")} already"));

    public AdminOutcome Revoke(ChangeGrants command) =>
        command.ForgetsKeep
            ? ChangeKeep(command)
            : command.Tenant is not null
            ? ChangeTenant("account revoke", command, isGiven: false)
            : ChangeGrants("account revoke", command, (sql, account, grants) =>
        grants.Delete(sql, account.Id) > 0
            ? new AdminOutcome.Done($"account {account.Name} {grants.Said("may no longer")}")
            : new AdminOutcome.NotFound($"account {account.Name} has no grant for {grants}"));

    private AdminOutcome ChangeKeep(ChangeGrants command)
    {
        var (account, keep) = (command.Account, command.Keep);
        if (!command.Addresses.IsDefaultOrEmpty || !command.Domains.IsDefaultOrEmpty || !command.ActsAs.IsDefaultOrEmpty
            || command.Tenant is not null)
            return new AdminOutcome.Invalid("--keep says how long content is kept, and stands alone");
        if (keep is { } span && WhyNotKept(span) is { } wrong)
            return wrong;
        var action = keep is null ? "account revoke" : "account grant";
        return changes.Change(action, DirectoryChanges.Target(account, $"content: {KeepText.Of(keep)}"), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, account, out var found, out var missing))
                return missing;
            var before = sql.ExecuteScalar<long?>("select keep from accounts where id = @Id", found);
            var after = SecondsOf(keep);
            if (before == after)
                return new AdminOutcome.AlreadyThere($"the content of {found.Name} is {KeepText.Of(keep)} already");
            sql.Execute("update accounts set keep = @after where id = @Id", new { found.Id, after });
            return new AdminOutcome.Done(
                $"the content of messages that {found.Name} sends from now on is {KeepText.Of(keep)}")
            {
                Changes = [.. KeepChange(before, after)],
            };
        });
    }

    private static AdminOutcome.Invalid? WhyNotKept(TimeSpan keep) =>
        keep == TimeSpan.Zero || (keep >= KeepRule.Least && keep <= KeepRule.Longest)
            ? null
            : new($"content is kept for a time from {KeepText.Time(KeepRule.Least)} to {KeepText.Time(KeepRule.Longest)}, or not at all");

    private static long? SecondsOf(TimeSpan? keep) => keep is { } span ? (long)span.TotalSeconds : null;

    private static ImmutableArray<AdminChange> KeepChange(long? before, long? after) =>
        before == after ? [] : [new AdminChange("keep", TextOf(before), TextOf(after))];

    private static string? TextOf(long? seconds) =>
        seconds is { } span ? span == 0 ? "off" : KeepText.Time(TimeSpan.FromSeconds(span)) : null;

    /// <summary>It stands in logs, in the spool, and later in headers.</summary>
    internal static AdminOutcome.Invalid? WhyNoTenant(string name) =>
        name.Length is >= 1 and <= MaxTenant && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? null
            : new($"'{name}' cannot be a tenant: 1 to {MaxTenant} letters, digits, dots, hyphens and underscores");

    private static IEnumerable<AdminChange> TenantChange(string? before, string? after) =>
        before == after ? [] : [new("tenant", before, after)];

    /// <summary>Gives the account to a tenant, whichever it had; or takes it from the one that it has.</summary>
    private AdminOutcome ChangeTenant(string action, ChangeGrants command, bool isGiven)
    {
        var tenant = command.Tenant!.ToLowerInvariant();
        if (WhyNoTenant(tenant) is { } wrong)
            return wrong;
        if (!command.Addresses.IsDefaultOrEmpty || !command.Domains.IsDefaultOrEmpty || !command.ActsAs.IsDefaultOrEmpty)
            return new AdminOutcome.Invalid("--tenant says whose account it is, and stands alone");
        return changes.Change(action, DirectoryChanges.Target(command.Account, $"tenant {tenant}"), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, command.Account, out var found, out var missing))
                return missing;
            var before = sql.ExecuteScalar<string?>("select tenant from accounts where id = @Id", found);
            if (isGiven == (before == tenant))
            {
                return isGiven
                    ? new AdminOutcome.AlreadyThere($"account {found.Name} belongs to tenant {tenant} already")
                    : new AdminOutcome.NotFound($"account {found.Name} belongs to {(before is null ? "no tenant" : $"tenant {before}")}");
            }

            var after = isGiven ? tenant : null;
            sql.Execute("update accounts set tenant = @after where id = @Id", new { found.Id, after });
            return new AdminOutcome.Done(
                $"account {found.Name} belongs to {(after is null ? "no tenant any more" : $"tenant {after} now")}")
            {
                Changes = [.. TenantChange(before, after)],
            };
        });
    }

    private AdminOutcome SetEnabled(string account, bool enabled)
    {
        var word = enabled ? "enable" : "disable";
        return changes.Change($"account {word}", DirectoryChanges.Target(account), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, account, out var found, out var missing))
                return missing;
            return sql.Execute(
                "update accounts set enabled = @enabled where id = @Id and enabled <> @enabled", new { found.Id, enabled }) > 0
                ? new AdminOutcome.Done($"account {found.Name} {word}d")
                {
                    Changes = [enabled ? new AdminChange("enabled", "false", "true") : new AdminChange("enabled", "true", "false")],
                }
                : new AdminOutcome.AlreadyThere($"account {found.Name} is {word}d already");
        });
    }

    private AdminOutcome ChangeGrants(
        string action, ChangeGrants command, Func<SqliteConnection, DirectoryLookups.AccountKey, Grants, AdminOutcome> change)
    {
        if (!Grants.TryRead(command.Addresses, command.Domains, command.ActsAs, out var grants, out var problem))
            return problem;
        if (grants.IsEmpty)
            return new AdminOutcome.Invalid("say which: --address A, --domain D, --act-as ACCOUNT, --tenant T, or --keep");
        return changes.Change(action, DirectoryChanges.Target(command.Account, grants.ToString()), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, command.Account, out var found, out var missing))
                return missing;
            var before = Grants.Of(sql, found.Id);
            var outcome = change(sql, found, grants);
            return outcome is AdminOutcome.Done ? outcome with { Changes = before.ChangesTo(Grants.Of(sql, found.Id)) } : outcome;
        });
    }
}

/// <summary>A new identity.</summary>
/// <param name="Name">The login name, in any spelling.</param>
/// <param name="Addresses">It may send as these; empty means the name itself, where it is an address.</param>
/// <param name="Domains">It may send as any address of these.</param>
public sealed record AddAccount(string Name, ImmutableArray<string> Addresses, ImmutableArray<string> Domains)
{
    /// <summary>
    /// How long the content of its messages is kept when their delivery is over; zero for never, null where only the configuration says it.
    /// </summary>
    public TimeSpan? Keep { get; init; }

    /// <summary>Whose account it is, of those that share the server, in any case; null for nobody's in particular.</summary>
    public string? Tenant { get; init; }
}

/// <summary>Addresses and domains that an account may, or may no longer, send as; and accounts as which it may act.</summary>
public sealed record ChangeGrants(string Account, ImmutableArray<string> Addresses, ImmutableArray<string> Domains)
{
    /// <summary>Names of accounts, in any spelling, kept in whatever store (RFC 4422 §3.4.1).</summary>
    public ImmutableArray<string> ActsAs { get; init; } = [];

    /// <summary>The tenant whose account it becomes, or is no more, in any case; then there is nothing else.</summary>
    public string? Tenant { get; init; }

    /// <summary>
    /// To be granted: how long the content of its messages is kept when their delivery is over, zero for never; then there is nothing else.
    /// </summary>
    public TimeSpan? Keep { get; init; }

    /// <summary>To be revoked: the configuration alone says how long; then there is nothing else.</summary>
    public bool ForgetsKeep { get; init; }
}
