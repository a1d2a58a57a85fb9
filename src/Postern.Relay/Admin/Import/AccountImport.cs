using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Admin.Import;

/// <summary>Takes users, passwords and rights of other servers into the directory.</summary>
/// <remarks><see cref="DirectoryCommands"/> says what all changes have in common.</remarks>
public sealed class AccountImport
{
    /// <summary>What an imported password is called.</summary>
    public const string Label = "imported";

    private readonly DirectoryChanges changes;

    internal AccountImport(DirectoryChanges changes) => this.changes = changes;

    /// <summary>
    /// Takes over users and rights in one transaction. It adds, and takes nothing away: no password, right or account that is there is
    /// changed, and none is enabled or disabled. So the same files again change nothing.
    /// </summary>
    /// <param name="isDryRun">Everything is tried, and nothing is kept.</param>
    /// <param name="progress">Hears how many entries have been looked at.</param>
    public ImportReport Run(IReadOnlyList<ImportEntry> entries, bool isDryRun, IProgress<int>? progress = null)
    {
        var report = isDryRun ? changes.Directory.Try(TakeAll) : changes.Directory.Write(TakeAll);
        if (!isDryRun && report.HasChanged)
        {
            var files = string.Join(", ", entries.Select(static e => e.File).Distinct(StringComparer.Ordinal));
            changes.Record("account import", string.Create(
                CultureInfo.InvariantCulture,
                $"{files}: {report.Accounts} accounts, {report.Passwords} passwords, {report.Rights} rights"));
        }

        return report;

        ImportReport TakeAll(SqliteConnection sql)
        {
            var import = new ImportRun(sql, changes.Now, isDryRun);
            var done = 0;
            // Users before rights, whatever the order of the files.
            foreach (var entry in entries.OrderBy(static e => e.IsRight))
            {
                import.Take(entry);
                if (++done % 100 == 0 || done == entries.Count)
                    progress?.Report(done);
            }

            return import.Report();
        }
    }

    /// <summary>One import, within its transaction.</summary>
    private sealed class ImportRun(SqliteConnection sql, long now, bool isDryRun)
    {
        private readonly ImmutableArray<ImportReport.Remark>.Builder notTaken = ImmutableArray.CreateBuilder<ImportReport.Remark>();
        private readonly ImmutableArray<ImportReport.Remark>.Builder notes = ImmutableArray.CreateBuilder<ImportReport.Remark>();
        private readonly List<PasswordHash> added = [];
        private readonly HashSet<string> seen = new(StringComparer.Ordinal);
        private int accounts;
        private int disabled;
        private int rights;
        private int unchanged;

        public ImportReport Report() =>
            new(isDryRun, accounts, disabled, added.Count, rights, unchanged, notTaken.ToImmutable(), notes.ToImmutable())
            {
                Weak = WeakForms.Describe(added),
            };

        public void Take(ImportEntry entry)
        {
            // What is no name may be anything, a password too: it is not repeated.
            if (entry.Name is null
                || !LoginNames.TryCanonical(entry.Name, out var name)
                || name.Any(char.IsWhiteSpace)
                || LoginNames.IsDisguisedAddress(entry.Name))
                Leave(
                    entry,
                    account: null,
                    entry.Name is null ? entry.Problem ?? "it names no account" : "its name is none that an account can have");
            else if (entry.Problem is { } problem)
                Leave(entry, name, problem);
            else if (!Grants.TryRead(entry.Addresses, entry.Domains, actsAs: [], out var grants, out var invalid))
                Leave(entry, name, invalid.Message);
            else if (!entry.IsRight && !seen.Add(name))
                Leave(entry, name, "its user stands above already; this line is not used");
            else
                Take(entry, name, grants);
        }

        private void Take(ImportEntry entry, string name, Grants grants)
        {
            var account = sql.QuerySingleOrDefault<AccountState>("select id, enabled from accounts where name = @name", new { name });
            if (account is null && entry.IsRight)
            {
                Leave(entry, name, $"there is no account {name}: import its user too, or postern account add {name}");
                return;
            }

            var before = (accounts, added.Count, rights);
            var id = account?.Id ?? Add(entry, name);
            if (account is not null)
                Compare(entry, name, account);
            if (entry.Hash is { } hash)
                TakePassword(entry, name, id, hash);
            rights += grants.Insert(sql, id);
            if (before == (accounts, added.Count, rights))
                unchanged++;
        }

        private long Add(ImportEntry entry, string name)
        {
            var enabled = entry.Disabled is null;
            var id = sql.ExecuteScalar<long>(
                "insert into accounts (name, created_at, enabled) values (@name, @now, @enabled); select last_insert_rowid()",
                new { name, now, enabled });
            if (MailNames.TryAddress(name, out var own))
                new Grants([own], [], []).Insert(sql, id);
            accounts++;
            if (!enabled)
            {
                disabled++;
                Note(entry, name, $"added, and disabled: {entry.Disabled}; to let it log in: postern account enable {name}");
            }

            return id;
        }

        /// <summary>Whether it may log in is not changed, in either direction: the file may be old.</summary>
        private void Compare(ImportEntry entry, string name, AccountState account)
        {
            if (entry.IsRight || entry.Disabled is null == account.Enabled > 0)
                return;
            Note(
                entry,
                name,
                account.Enabled > 0
                    ? $"it is enabled here and stays so, though not there ({entry.Disabled}); to disable it: postern account disable {name}"
                    : $"it is disabled here and stays so; to enable it: postern account enable {name}");
        }

        private void TakePassword(ImportEntry entry, string name, long account, PasswordHash hash)
        {
            var here = sql.Query<StoredPassword>("select label, secret from credentials where account_id = @account", new { account })
                .AsList();
            if (here.Exists(c => string.Equals(c.Secret, hash.Stored, StringComparison.Ordinal)))
                return;
            var imported = here.Find(static c => c.Label == Label);
            // It came over before, and was kept in a better form when its user logged in.
            if (imported is not null && hash.Weakness is not null && PasswordHash.Parse(imported.Secret) is ScramHash)
                return;
            if (here.Count > 0)
            {
                Leave(entry, name, imported is null
                    ? "it has a password here, which stays; the one of the file is not added"
                    : $"it has another password here than in the file, which stays; to take that of the file: "
                        + $"postern credential revoke {name} {Label}, then import again");
                return;
            }

            sql.Execute(
                "insert into credentials (account_id, label, secret, generated, created_at) values (@account, @label, @stored, 0, @now)",
                new { account, label = Label, stored = hash.Stored, now });
            added.Add(hash);
        }

        private void Leave(ImportEntry entry, string? account, string why) => notTaken.Add(new(entry.File, entry.Line, account, why));

        private void Note(ImportEntry entry, string? account, string why) => notes.Add(new(entry.File, entry.Line, account, why));

        private sealed record AccountState(long Id, long Enabled);

        private sealed record StoredPassword(string? Label, string Secret);
    }
}

/// <summary>What became of an import, or would become of it. Nothing in it is a secret.</summary>
/// <param name="IsDryRun">Nothing was written.</param>
/// <param name="Accounts">Accounts that were added.</param>
/// <param name="Disabled">Those of them that cannot log in until they are enabled.</param>
/// <param name="Passwords">Passwords that were added.</param>
/// <param name="Rights">Addresses and domains that accounts may now send as, beside the own address of a new one.</param>
/// <param name="Unchanged">Lines that say what was so already.</param>
/// <param name="NotTaken">Lines, or parts of them, that were left.</param>
/// <param name="Notes">Lines that were taken otherwise than they stand there.</param>
public sealed record ImportReport(
    bool IsDryRun, int Accounts, int Disabled, int Passwords, int Rights, int Unchanged,
    ImmutableArray<ImportReport.Remark> NotTaken, ImmutableArray<ImportReport.Remark> Notes)
{
    /// <summary>What is to be said of the forms of the passwords that were added; null for nothing.</summary>
    public string? Weak { get; init; }

    /// <summary>Something is different now, or would be.</summary>
    public bool HasChanged => Accounts + Passwords + Rights > 0;

    /// <param name="Account">Null where the line names none that there can be.</param>
    public sealed record Remark(string File, int Line, string? Account, string Why);
}
