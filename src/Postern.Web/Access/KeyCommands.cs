using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Sasl;

namespace Postern.Web.Access;

/// <summary>Changes the keys by which programs call.</summary>
/// <remarks><see cref="AccessCommands"/> says what all changes have in common.</remarks>
internal sealed class KeyCommands(DirectoryChanges changes)
{
    private const int MaxLabel = 64;
    private const int MaxKeys = 1_000;
    private const int MaxNetworks = 32;

    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(3_653);

    /// <summary>Unless another time is said.</summary>
    public static TimeSpan UsualLife { get; } = TimeSpan.FromDays(365);

    /// <summary>Makes a key, which is shown this once.</summary>
    public AdminOutcome Add(AddKey command)
    {
        var target = $"key {KeyText.NameIn(command.Label)}";
        if (WhyNot(command) is { } problem)
            return AccessCommands.Refused(changes, "key add", target, problem);
        var networks = ImmutableArray.CreateBuilder<string>();
        foreach (var text in command.Networks)
        {
            if (!NetworkText.TryParse(text, out var network, out var wrong))
                return AccessCommands.Refused(changes, "key add", target, new AdminOutcome.Invalid(wrong));
            networks.Add(network.ToString());
        }

        var (key, whole) = KeyText.Generate();
        var now = changes.UtcNow;
        var ends = now + (command.ExpiresAfter ?? UsualLife);
        var scopes = string.Join(' ', ScopeWords.WordsOf(command.Scopes));
        return AccessCommands.Change(changes, "key add", target, sql =>
        {
            DirectoryLookups.AccountKey? account = null;
            if (command.Account is { } name)
            {
                if (!DirectoryLookups.TryFindAccount(sql, name, out account, out var missing))
                    return missing;
                if (command.Tenant is { } own && !IsOf(sql, account.Id, own))
                    return new AdminOutcome.Invalid($"account {account.Name} is not of tenant {own}");
            }

            if (sql.ExecuteScalar<long>("select count(*) from api_keys where label = @Label", command) > 0)
                return new AdminOutcome.AlreadyThere(
                    $"there is a key '{command.Label}' already; to make it useless: postern key remove {command.Label}");
            if (sql.ExecuteScalar<long>("select count(*) from api_keys") >= MaxKeys)
                return new AdminOutcome.Invalid($"there are {MaxKeys} keys, the most there can be: remove one first");
            sql.Execute(
                """
                insert into api_keys (id, hash, label, scopes, tenant, account_id, networks, created_by, created_at, expires_at)
                values (@Id, @Hash, @Label, @scopes, @tenant, @account, @networks, @by, @at, @until)
                """,
                new
                {
                    key.Id,
                    key.Hash,
                    command.Label,
                    scopes,
                    tenant = command.Tenant?.ToLowerInvariant(),
                    account = account?.Id,
                    networks = string.Join(' ', networks),
                    by = changes.By.Name,
                    at = now.ToUnixTimeMilliseconds(),
                    until = ends.ToUnixTimeMilliseconds(),
                });
            var details = KeyRow.Find(sql, key.Id)!.ToDetails(now);
            return new KeyIssued(Said(details), details, whole)
            {
                Changes =
                [
                    new AdminChange("key", Before: null, key.Id),
                    new AdminChange("scopes", Before: null, scopes),
                    new AdminChange("expires", Before: null, TextOf(ends)),
                    .. details.Tenant is { } tenant ? [new AdminChange("tenant", Before: null, tenant)] : Array.Empty<AdminChange>(),
                    .. details.Account is { } whose ? [new AdminChange("account", Before: null, whose)] : Array.Empty<AdminChange>(),
                    .. networks.Select(static one => new AdminChange("network", Before: null, one)),
                ],
            };
        });
    }

    /// <summary>Makes a key useless at once.</summary>
    /// <param name="named">Its id or label; the whole key is understood too, and quoted nowhere.</param>
    public AdminOutcome Remove(string named)
    {
        var name = KeyText.NameIn(named);
        return AccessCommands.Change(changes, "key remove", $"key {name}", sql =>
        {
            var all = KeyRow.All(sql);
            if (all.FirstOrDefault(one => one.Id == name || one.Label == name) is not { } row)
                return new AdminOutcome.NotFound($"there is no key '{name}'{NearestName.Hint(name, all.Select(static one => one.Label))}");
            sql.Execute("delete from api_keys where id = @Id", new { row.Id });
            return new AdminOutcome.Done($"key {row.Id} ({row.Label}) removed; it is good for nothing from now on")
            {
                Changes = [new AdminChange("key", $"{row.Id} ({row.Label})", After: null)],
            };
        });
    }

    private static bool IsOf(SqliteConnection sql, long account, string tenant) => string.Equals(
        sql.ExecuteScalar<string?>("select tenant from accounts where id = @account", new { account }),
        tenant,
        StringComparison.OrdinalIgnoreCase);

    private static AdminOutcome? WhyNot(AddKey command)
    {
        if (command.Label.Length is 0 or > MaxLabel || command.Label.Any(char.IsControl) || string.IsNullOrWhiteSpace(command.Label))
            return new AdminOutcome.Invalid($"a label has 1 to {MaxLabel} visible characters");
        if (KeyText.NameIn(command.Label) != command.Label)
            return new AdminOutcome.Invalid("the label begins like a key; say what it is for");
        if (command.Scopes == Scopes.None)
            return new AdminOutcome.Invalid("a key needs a scope: what may be done with it");
        if (command.Tenant is { } tenant && AccountCommands.WhyNoTenant(tenant.ToLowerInvariant()) is { } wrong)
            return wrong;
        if ((command.Tenant, command.Scopes & ~Role.TenantManager.Scopes) is ({ } whose, not Scopes.None and var beyond))
            return new AdminOutcome.Invalid(
                $"{string.Join(", ", ScopeWords.WordsOf(beyond))} is of the whole server, and not for a key of tenant {whose}");
        if (command.Scopes.HasFlag(Scopes.MessagesSend) && command.Account is null)
            return new AdminOutcome.Invalid("messages.send needs an account, as which is sent");
        if (command.Networks.Length > MaxNetworks)
            return new AdminOutcome.Invalid($"a key has at most {MaxNetworks} networks");
        return command.ExpiresAfter is { } life && (life <= TimeSpan.Zero || life > LongestLife)
            ? new AdminOutcome.Invalid("a key expires between a moment and ten years from now")
            : null;
    }

    private static string Said(KeyDetails key)
    {
        var bounds = (key.Account is { } account ? $", as account {account}" : string.Empty)
            + (key.Tenant is { } tenant ? $", within tenant {tenant}" : string.Empty)
            + (key.Networks.IsEmpty ? string.Empty : $", from {string.Join(" and ", key.Networks)}");
        return $"key {key.Id} ({key.Label}) added: {string.Join(", ", key.Scopes)}{bounds}, until {TextOf(key.ExpiresAt)}";
    }

    internal static string TextOf(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>One more key.</summary>
/// <param name="Label">What it is for; unique.</param>
/// <param name="Scopes">What may be done with it.</param>
internal sealed record AddKey(string Label, Scopes Scopes)
{
    /// <summary>Beyond which it sees nothing; null for the whole server, or for the tenant of its account.</summary>
    public string? Tenant { get; init; }

    /// <summary>As which it sends; null for none.</summary>
    public string? Account { get; init; }

    /// <summary>In CIDR; empty for any.</summary>
    public ImmutableArray<string> Networks { get; init; } = [];

    /// <summary>Counted from now; null for <see cref="KeyCommands.UsualLife"/>.</summary>
    public TimeSpan? ExpiresAfter { get; init; }
}

/// <summary>A key was made. <paramref name="Key"/> can be shown this once.</summary>
internal sealed record KeyIssued(string Message, KeyDetails Details, Secret Key) : AdminOutcome(Message)
{
    internal override bool IsChange => true;
}
