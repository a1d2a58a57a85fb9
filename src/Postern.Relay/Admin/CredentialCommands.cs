using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using CredentialRow = Postern.Relay.Accounts.Stores.DirectoryReader.CredentialRow;

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
        if (!command.Scope.TryApply(CredentialLimits.None, out _, out var unclear))
            return unclear;
        var generated = command.Typed is null ? Secret.Generate() : null;
        var name = LoginNames.TryCanonical(command.Account, out var canonical) ? canonical : command.Account;
        var request = new HashRequest(name, command.Realm ?? string.Empty, generated ?? command.Typed!, generated is not null);
        if (!command.Scheme.TryHash(
            request with { Beside = changes.Directory.Read(sql => ChallengedOf(sql, name)) },
            out var hash,
            out var trouble))
            return new AdminOutcome.Invalid(trouble);
        var now = changes.UtcNow;

        var action = command.Replaces is null ? "credential add" : "credential replace";
        return changes.Change(action, DirectoryChanges.Target(command.Account, command.Label), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, command.Account, out var account, out var missing))
                return missing;
            var there = CredentialsOf(sql, account.Id);
            CredentialRow? replaced = null;
            if (command.Replaces is { } chosen && Choose(there, account.Name, chosen.Credential, out replaced) is { } wrong)
                return wrong;
            if (!NewCredential.TryMake(sql, command, replaced, now, out var added, out var impossible))
                return impossible;
            if (replaced is not null)
                there.Remove(replaced);
            if (WhyNoPlace(account.Name, added.Label, there) is { } full)
                return full;
            if (replaced is not null)
                sql.Execute("delete from credentials where id = @Id", replaced);
            var id = Insert(sql, account.Id, added, hash, generated is not null, now);
            if (!added.Limits.IsNone)
                CredentialScope.Write(sql, id, added.Limits, added.Limits.Bound is null ? null : now);
            var details = new CredentialDetails(
                id, account.Name, added.Label, hash.Scheme, generated is not null, now, added.ExpiresAt, Expired: false)
            {
                IsApp = added.IsApp,
                Limits = LimitDetails.Of(added.Limits),
            };
            return new AdminOutcome.Issued(
                Said(details, added) + Others(account.Name, there, now) + Beyond(sql, account, added.Limits), details, generated)
            {
                Changes =
                [
                    .. ChangesOf(replaced is null ? null : NameOf(replaced.Id, replaced.Label), details),
                    .. CredentialScope.ChangesOf(CredentialLimits.None, added.Limits),
                ],
            };
        });
    }

    private static AdminOutcome? WhyNoPlace(string account, string? label, List<CredentialRow> there) =>
        label is not null && there.Exists(c => string.Equals(c.Label, label, StringComparison.Ordinal))
            ? new AdminOutcome.AlreadyThere(
                $"account {account} has a credential '{label}' already; to put another secret in its place: "
                    + $"postern credential replace {account} {label}")
        : there.Count >= MaxCredentials
            ? new AdminOutcome.Invalid($"account {account} has {MaxCredentials} credentials, the most there can be: revoke one first")
        : null;

    /// <summary>What was done, for people.</summary>
    private static string Said(CredentialDetails details, NewCredential added)
    {
        var name = NameOf(details.Id, details.Label);
        var done = added.Replaced is { } replaced
            ? $"credential {name} of account {details.Account} is valid in the place of {NameOf(replaced.Id, replaced.Label)}"
            : added.IsApp
                ? $"app password {details.Label} ({DirectoryReader.IdOf(details.Id)}) added to account {details.Account}"
                : $"credential {name} added to account {details.Account}";
        return added.Limits.IsNone ? done : $"{done}, good only {added.Limits}";
    }

    /// <summary>The secret that a SCRAM challenge to the account asks for; null where there is none, or no such account.</summary>
    private ScramHash? ChallengedOf(SqliteConnection sql, string account) =>
        DirectoryLookups.TryFindAccount(sql, account, out var found, out _)
            ? DirectoryReader.Credentials(sql, found.Id)
                .Where(one => one.Hash is ScramHash && !(one.ExpiresAt <= changes.UtcNow))
                .OrderBy(static one => one.IsApp)
                .ThenByDescending(static one => one.Number)
                .Select(static one => (ScramHash)one.Hash)
                .FirstOrDefault()
            : null;

    private static long Insert(
        SqliteConnection sql,
        long account,
        NewCredential added,
        PasswordHash hash,
        bool isGenerated,
        DateTimeOffset now) =>
        sql.ExecuteScalar<long>(
            """
            insert into credentials (account_id, label, secret, generated, created_at, expires_at, app)
            values (@account, @label, @Stored, @isGenerated, @CreatedAt, @ExpiresAt, @isApp);
            select last_insert_rowid()
            """,
            new
            {
                account,
                label = added.Label,
                hash.Stored,
                isGenerated,
                CreatedAt = now.ToUnixTimeMilliseconds(),
                ExpiresAt = added.ExpiresAt?.ToUnixTimeMilliseconds(),
                isApp = added.IsApp,
            });

    /// <summary>
    /// Gives a credential other limits, or another end; sessions that rest on it and may not any more end at their next message.
    /// </summary>
    public AdminOutcome Limit(LimitCredential command)
    {
        if (command.Scope.IsSame && command.ExpiresAfter is null && !command.NeverExpires)
            return new AdminOutcome.Invalid("nothing is said that is to be changed");
        if (WhyNoLife(command.ExpiresAfter) is { } problem)
            return problem;
        var now = changes.UtcNow;
        return changes.Change("credential limit", DirectoryChanges.Target(command.Account, command.Credential), sql =>
        {
            if (!DirectoryLookups.TryFindAccount(sql, command.Account, out var account, out var missing))
                return missing;
            if (Choose(CredentialsOf(sql, account.Id), account.Name, command.Credential, out var chosen) is { } wrong)
                return wrong;
            var before = DirectoryReader.LimitsOf(chosen!, DirectoryReader.LimitsOf(sql, account.Id));
            if (!command.Scope.TryApply(before, out var after, out var unclear))
                return unclear;
            if (!command.Scope.IsSame)
                CredentialScope.Write(sql, chosen!.Id, after, after.Bound is null ? null : now);
            var expires = command.NeverExpires ? null : (now + command.ExpiresAfter)?.ToUnixTimeMilliseconds() ?? chosen!.ExpiresAt;
            sql.Execute("update credentials set expires_at = @expires where id = @Id", new { expires, chosen!.Id });
            var ends = expires is { } end ? $"until {TextOf(DateTimeOffset.FromUnixTimeMilliseconds(end))}" : "without an end";
            return new AdminOutcome.Done(
                $"credential {NameOf(chosen.Id, chosen.Label)} of account {account.Name} is good {ends}"
                    + $"{(after.IsNone ? ", wherever the account is" : $", only {after}")}{Beyond(sql, account, after)}")
            {
                Changes =
                [
                    .. CredentialScope.ChangesOf(before, after),
                    .. expires == chosen.ExpiresAt
                        ? Array.Empty<AdminChange>()
                        : [new AdminChange("expires", TextOf(chosen.ExpiresAt), TextOf(expires))],
                ],
            };
        });
    }

    /// <summary>Senders to which a credential is limited and which its account has not: a limit gives no right.</summary>
    private static string Beyond(SqliteConnection sql, DirectoryLookups.AccountKey account, CredentialLimits limits)
    {
        if (limits.Senders.IsEmpty)
            return string.Empty;
        var grants = Grants.Of(sql, account.Id);
        var beyond = limits.Senders.Where(sender => !(sender[0] == '@'
            ? grants.Domains.Contains(sender[1..], StringComparer.OrdinalIgnoreCase)
            : grants.Addresses.Contains(sender, StringComparer.OrdinalIgnoreCase)
                || grants.Domains.Contains(sender[(sender.LastIndexOf('@') + 1)..], StringComparer.OrdinalIgnoreCase))).ToList();
        if (beyond.Count == 0)
            return string.Empty;
        var grant = beyond[0][0] == '@' ? $"--domain {beyond[0][1..]}" : $"--address {beyond[0]}";
        return $"; warning: the account may not send as {string.Join(" and ", beyond)}, so this credential may not either (to grant it: "
            + $"postern account grant {account.Name} {grant})";
    }

    private static string? TextOf(long? milliseconds) =>
        milliseconds is { } at ? TextOf(DateTimeOffset.FromUnixTimeMilliseconds(at)) : null;

    private static string TextOf(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

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
                new AdminChange("expires", Before: null, TextOf(at)),
            ]
            : [.. always];
    }

    /// <summary>What else logs the account in: who adds a password may believe that the old one is gone.</summary>
    private static string Others(string account, List<CredentialRow> there, DateTimeOffset now)
    {
        var valid = there.Where(c => c.ExpiresAt is not { } end || end > now.ToUnixTimeMilliseconds())
            .Select(static c => NameOf(c.Id, c.Label)).ToList();
        return valid.Count == 0 ? string.Empty
            : string.Create(
                CultureInfo.InvariantCulture,
                $"; {valid.Count} more {(valid.Count == 1 ? "is" : "are")} still valid: {string.Join(", ", valid)} (to take one away: "
                    + $"postern credential revoke {account} {valid[0].TrimStart('#')})");
    }

    private static List<CredentialRow> CredentialsOf(SqliteConnection sql, long account) =>
        sql.Query<CredentialRow>($"{CredentialRow.Select} where account_id = @account order by id", new { account }).AsList();

    /// <summary>The one that is named, or the only one; else why there is none.</summary>
    private static AdminOutcome? Choose(List<CredentialRow> all, string account, string? named, out CredentialRow? chosen)
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
        if (WhyNoLife(command.ExpiresAfter) is { } wrong)
            return wrong;
        if (command.IsApp && command.Typed is not null)
            return new("an app password is made, and not chosen");
        if (command.Label is not { } label)
            return command is { IsApp: true, Replaces: null } ? new("an app password has a label, which says where it is used") : null;
        if (label.Length is 0 or > MaxLabelLength || label.Any(char.IsControl) || string.IsNullOrWhiteSpace(label))
            return new($"a label has 1 to {MaxLabelLength} visible characters");
        return label.TrimStart('#').All(char.IsAsciiDigit)
            ? new("a label is not a number: numbers name credentials without a label")
            : null;
    }

    private static AdminOutcome.Invalid? WhyNoLife(TimeSpan? life) =>
        life <= TimeSpan.Zero || life > LongestLife ? new("a credential expires between a moment and a hundred years from now") : null;

    private static bool IsNamed(CredentialRow credential, string name) =>
        string.Equals(credential.Label, name, StringComparison.Ordinal)
        || (long.TryParse(name.AsSpan().TrimStart('#'), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && id == credential.Id);

    private static string NameOf(long id, string? label) => label ?? string.Create(CultureInfo.InvariantCulture, $"#{id}");
}

/// <summary>One more secret for an account.</summary>
/// <param name="Typed">A password that a person chose; null has one generated.</param>
/// <param name="Label">Where it is used, such as <c>printer</c>; unique within the account.</param>
/// <param name="ExpiresAfter">Counted from now; null never.</param>
public sealed record AddCredential(string Account, Secret? Typed = null, string? Label = null, TimeSpan? ExpiresAfter = null)
{
    /// <summary>How it is kept.</summary>
    public HashScheme Scheme { get; init; } = HashSchemes.Usual;

    /// <summary>For one program or device: it needs a label, and never stands in the way of the account's own secrets.</summary>
    public bool IsApp { get; init; }

    /// <summary>Where it may be used, and as whom it may send.</summary>
    public CredentialScope Scope { get; init; } = CredentialScope.Same;

    /// <summary>
    /// The one whose place it takes, at once; its label stays, its end and its limits, unless others are said. Null for one more.
    /// </summary>
    public RevokeCredential? Replaces { get; init; }

    /// <summary>Of DIGEST-MD5; null for other schemes.</summary>
    public string? Realm { get; init; }
}

/// <summary>Makes a secret useless at once.</summary>
/// <param name="Credential">Its label, or its number with or without <c>#</c>; may be null when the account has but one.</param>
public sealed record RevokeCredential(string Account, string? Credential = null);
