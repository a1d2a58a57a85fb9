using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Audit.Events;
using Postern.Sasl;

namespace Postern.Relay.Admin;

/// <summary>Changes the secrets that log the accounts of the directory in.</summary>
/// <remarks><see cref="DirectoryCommands"/> says what all changes have in common.</remarks>
public sealed class CredentialCommands
{
    /// <summary>A wrong password costs the hash of every credential.</summary>
    private const int MaxCredentials = 32;

    private const int MaxLabelLength = 64;

    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(36_500);

    private readonly DirectoryChanges changes;

    internal CredentialCommands(DirectoryChanges changes) => this.changes = changes;

    /// <summary>Adds a secret. A typed password takes about 45 ms of CPU here.</summary>
    public AdminOutcome Add(AddCredential command)
    {
        if (WhyNot(command) is { } problem)
            return problem;
        var generated = command.Typed is null ? Secret.Generate() : null;
        var name = LoginNames.TryCanonical(command.Account, out var canonical) ? canonical : command.Account;
        if (!command.Scheme.TryHash(
            new HashRequest(name, command.Realm ?? string.Empty, generated ?? command.Typed!, generated is not null),
            out var hash,
            out var trouble))
            return new AdminOutcome.Invalid(trouble);
        var now = changes.UtcNow;
        var expires = now + command.ExpiresAfter;

        var action = command.Replaces is null ? "credential add" : "credential replace";
        return changes.Change(action, DirectoryChanges.Target(command.Account, command.Label), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, command.Account, out var account, out var missing))
                return missing;
            var there = CredentialsOf(sql, account.Id);
            var replaced = (CredentialName?)null;
            if (command.Replaces is { } chosen)
            {
                if (Choose(there, account.Name, chosen.Credential, out replaced) is { } wrong)
                    return wrong;
                there.Remove(replaced!);
                command = command with { Label = command.Label ?? replaced!.Label };
                expires ??= replaced!.ExpiresAt is { } end && end > now.ToUnixTimeMilliseconds()
                    ? DateTimeOffset.FromUnixTimeMilliseconds(end)
                    : null;
            }

            if (command.Label is not null && there.Exists(c => string.Equals(c.Label, command.Label, StringComparison.Ordinal)))
                return new AdminOutcome.AlreadyThere(
                    $"account {account.Name} has a credential '{command.Label}' already; to put another secret in its place: "
                        + $"postern credential replace {account.Name} {command.Label}");
            if (there.Count >= MaxCredentials)
                return new AdminOutcome.Invalid(
                    $"account {account.Name} has {MaxCredentials} credentials, the most there can be: revoke one first");

            if (replaced is not null)
                sql.Execute("delete from credentials where id = @Id", replaced);
            var id = Insert(sql, account.Id, command.Label, hash, generated is not null, now, expires);
            var details = new CredentialDetails(
                id, account.Name, command.Label, hash.Scheme, generated is not null, now, expires, Expired: false);
            var done = replaced is null
                ? $"credential {NameOf(id, command.Label)} added to account {account.Name}"
                : $"credential {NameOf(id, command.Label)} of account {account.Name} is valid in the place of "
                    + $"{NameOf(replaced.Id, replaced.Label)}";
            return new AdminOutcome.Issued(done + Others(account.Name, there, now), details, generated)
            {
                Changes = ChangesOf(replaced is null ? null : NameOf(replaced.Id, replaced.Label), details),
            };
        });
    }

    private static long Insert(
        SqliteConnection sql,
        long account,
        string? label,
        PasswordHash hash,
        bool isGenerated,
        DateTimeOffset now,
        DateTimeOffset? expires) =>
        sql.ExecuteScalar<long>(
            """
            insert into credentials (account_id, label, secret, generated, created_at, expires_at)
            values (@account, @label, @Stored, @isGenerated, @CreatedAt, @ExpiresAt);
            select last_insert_rowid()
            """,
            new
            {
                account,
                label,
                hash.Stored,
                isGenerated,
                CreatedAt = now.ToUnixTimeMilliseconds(),
                ExpiresAt = expires?.ToUnixTimeMilliseconds(),
            });

    private static ImmutableArray<AdminChange> ChangesOf(string? replaced, CredentialDetails added)
    {
        AdminChange[] always =
        [
            new AdminChange("credential", replaced, NameOf(added.Id, added.Label)),
            new AdminChange("form", Before: null, added.Scheme),
        ];
        return added.ExpiresAt is { } at
            ? [
                .. always,
                new AdminChange("expires", Before: null, at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
            ]
            : [.. always];
    }

    /// <summary>What else logs the account in: who adds a password may believe that the old one is gone.</summary>
    private static string Others(string account, List<CredentialName> there, DateTimeOffset now)
    {
        var valid = there.Where(c => c.ExpiresAt is not { } end || end > now.ToUnixTimeMilliseconds())
            .Select(static c => NameOf(c.Id, c.Label)).ToList();
        return valid.Count == 0 ? string.Empty
            : string.Create(
                CultureInfo.InvariantCulture,
                $"; {valid.Count} more {(valid.Count == 1 ? "is" : "are")} still valid: {string.Join(", ", valid)} (to take one away: "
                    + $"postern credential revoke {account} {valid[0].TrimStart('#')})");
    }

    private static List<CredentialName> CredentialsOf(SqliteConnection sql, long account) =>
        sql.Query<CredentialName>(
            "select id, label, expires_at as ExpiresAt from credentials where account_id = @account order by id", new { account }).AsList();

    /// <summary>The one that is named, or the only one; else why there is none.</summary>
    private static AdminOutcome? Choose(List<CredentialName> all, string account, string? named, out CredentialName? chosen)
    {
        var names = string.Join(", ", all.Select(static c => NameOf(c.Id, c.Label)));
        chosen = null;
        if (all.Count == 0)
            return new AdminOutcome.NotFound($"account {account} has no credential");
        if (named is null && all.Count > 1)
            return new AdminOutcome.Invalid($"account {account} has several credentials; say which: {names}");
        chosen = named is null ? all[0] : all.Find(c => IsNamed(c, named));
        return chosen is null ? new AdminOutcome.NotFound($"account {account} has no credential '{named}'; it has {names}") : null;
    }

    public AdminOutcome Revoke(RevokeCredential command) =>
        changes.Change("credential revoke", DirectoryChanges.Target(command.Account, command.Credential), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, command.Account, out var account, out var missing))
                return missing;
            if (Choose(CredentialsOf(sql, account.Id), account.Name, command.Credential, out var chosen) is { } wrong)
                return wrong;
            sql.Execute("delete from credentials where id = @Id", chosen!);
            return new AdminOutcome.Done($"credential {NameOf(chosen!.Id, chosen.Label)} of account {account.Name} revoked")
            {
                Changes = [new AdminChange("credential", NameOf(chosen.Id, chosen.Label), After: null)],
            };
        });

    private static AdminOutcome.Invalid? WhyNot(AddCredential command)
    {
        if (command.Typed is { } typed && PasswordRules.Problem(typed) is { } problem)
            return new(problem);
        if (command.Scheme.NeedsRealm && string.IsNullOrEmpty(command.Realm))
            return new($"{command.Scheme.Name} needs a realm");
        if (command.ExpiresAfter is { } life && (life <= TimeSpan.Zero || life > LongestLife))
            return new("a credential expires between a moment and a hundred years from now");
        if (command.Label is not { } label)
            return null;
        if (label.Length is 0 or > MaxLabelLength || label.Any(char.IsControl) || string.IsNullOrWhiteSpace(label))
            return new($"a label has 1 to {MaxLabelLength} visible characters");
        return label.TrimStart('#').All(char.IsAsciiDigit)
            ? new("a label is not a number: numbers name credentials without a label")
            : null;
    }

    private static bool IsNamed(CredentialName credential, string name) =>
        string.Equals(credential.Label, name, StringComparison.Ordinal)
        || (long.TryParse(name.AsSpan().TrimStart('#'), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && id == credential.Id);

    private static string NameOf(long id, string? label) => label ?? string.Create(CultureInfo.InvariantCulture, $"#{id}");

    private sealed record CredentialName(long Id, string? Label, long? ExpiresAt);
}

/// <summary>One more secret for an account.</summary>
/// <param name="Typed">A password that a person chose; null has one generated.</param>
/// <param name="Label">Where it is used, such as <c>printer</c>; unique within the account.</param>
/// <param name="ExpiresAfter">Counted from now; null never.</param>
public sealed record AddCredential(string Account, Secret? Typed = null, string? Label = null, TimeSpan? ExpiresAfter = null)
{
    /// <summary>How it is kept.</summary>
    public HashScheme Scheme { get; init; } = HashSchemes.Usual;

    /// <summary>The one whose place it takes, at once; its label stays, and its end, unless others are said. Null for one more.</summary>
    public RevokeCredential? Replaces { get; init; }

    /// <summary>Of DIGEST-MD5; null for other schemes.</summary>
    public string? Realm { get; init; }
}

/// <summary>Makes a secret useless at once.</summary>
/// <param name="Credential">Its label, or its number with or without <c>#</c>; may be null when the account has but one.</param>
public sealed record RevokeCredential(string Account, string? Credential = null);
