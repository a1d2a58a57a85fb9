using Postern.Configuration;
using Postern.Machine;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Runtime;
using Postern.Web.Access;

namespace Postern.Hosting.Data;

/// <summary>The directory's database, opened for one command. A change is an event in the audit log.</summary>
internal sealed class DirectoryAccess : IAsyncDisposable
{
    private readonly PosternConfiguration configuration;
    private readonly SqliteDirectory directory;
    private readonly TimeProvider clock;
    private readonly Action<string> note;
    private JsonLinesAuditLog? audit;
    private string? borrowed;

    private DirectoryAccess(PosternConfiguration configuration, SqliteDirectory directory, TimeProvider clock, Action<string> note)
    {
        this.configuration = configuration;
        this.directory = directory;
        this.clock = clock;
        this.note = note;
    }

    public PosternConfiguration Configuration => configuration;

    public DirectoryQueries Queries => new(directory, clock);

    public DirectoryCommands Commands => new(directory, clock, audit ??= configuration.OpenAuditLog(clock), ByCommand);

    /// <summary>Who may use the web plane.</summary>
    public AccessCommands Access => new(directory, clock, audit ??= configuration.OpenAuditLog(clock), ByCommand);

    public AccessQueries AccessQueries => new(directory, clock);

    /// <summary>Who runs this command.</summary>
    public static Operator ByCommand => new(DirectoryOwner.Actor, AdminDoor.Cli);

    /// <summary>An account of the directory or a user of any store, as all of them together see it; null where none knows it.</summary>
    public async ValueTask<AccountDetails?> FindAsync(string name, CancellationToken ct)
    {
        var kept = Queries.Account(name);
        using var foundation = new AccountFoundation(directory, configuration.ToAccounts(), NoAuditLog.Instance, clock);
        using var accounts = new RelayAccounts(configuration.ToAccounts(), foundation);
        var user = LoginNames.TryCanonical(name, out var canonical) ? canonical : name;
        var login = await accounts.Verifiers.Descriptions.FindLoginAsync(user, ct);
        var account = await accounts.Directory.FindAccountAsync(user, ct);
        if (account is null && login is null)
            return null;
        var details = kept
            ?? new AccountDetails(
                user, account is { Enabled: true }, CreatedAt: null, account?.Addresses ?? [], account?.Domains ?? [], []);
        return details with
        {
            Enabled = details.Enabled && login is not { Login.IsDisabled: true },
            LogsInBy = login?.Store,
            Tenant = account?.Tenant ?? details.Tenant,
            Stores = [.. (await accounts.Verifiers.Descriptions.DescribeAsync(user, ct)).Select(
                static word => new AccountDetails.StoreWord(word.Store, word.Says))],
        };
    }

    /// <summary>The same outcome; of an account that only another store knows, with what can be done.</summary>
    public async ValueTask<AdminOutcome> WithHintAsync(AdminOutcome outcome, CancellationToken ct)
    {
        if (outcome is not AdminOutcome.NotFound { Account: { } name } missing
            || configuration.Accounts.All(static a => a.Uri == "directory"))
            return outcome;
        using var foundation = new AccountFoundation(directory, configuration.ToAccounts(), NoAuditLog.Instance, clock);
        using var accounts = new RelayAccounts(configuration.ToAccounts(), foundation);
        return await accounts.Verifiers.Descriptions.FindLoginAsync(name, ct) is ({ } store, _)
            ? missing with
            {
                Message =
                    $"there is no account '{name}' in the directory; it is a user of {store}. To give it rights or to disable it, "
                        + $"add an account beside it, which keeps its login: postern account add {name}",
            }
            : outcome;
    }

    /// <summary>The stores beside the directory, as the configuration names them.</summary>
    public IEnumerable<string> OtherStores => configuration.Accounts.Where(static a => a.Uri != "directory").Select(static a => a.Uri);

    /// <param name="note">Told what went wrong beside the work itself.</param>
    /// <exception cref="Postern.Relay.Accounts.DirectoryUnavailableException">Locked, damaged, not writable.</exception>
    public static DirectoryAccess Open(PosternConfiguration configuration, TimeProvider clock, Action<string> note) =>
        new(configuration, SqliteDirectory.Open(configuration.ToDirectory(clock)), clock, note);

    /// <summary>
    /// The same for a command that writes nothing: where there is no database, an empty one takes its place that goes again.
    /// </summary>
    /// <exception cref="Postern.Relay.Accounts.DirectoryUnavailableException">As <see cref="Open"/>.</exception>
    public static DirectoryAccess OpenToTry(PosternConfiguration configuration, TimeProvider clock, Action<string> note)
    {
        if (File.Exists(configuration.ToDirectory(clock).Path))
            return Open(configuration, clock, note);
        var folder = Directory.CreateTempSubdirectory("postern-").FullName;
        return new(configuration, SqliteDirectory.Open(
            new SqliteDirectoryOptions(Path.Combine(folder, "directory.db")) { Clock = clock }), clock, note) { borrowed = folder };
    }

    public async ValueTask DisposeAsync()
    {
        directory.Dispose();
        if (borrowed is not null)
            Directory.Delete(borrowed, recursive: true);
        if (audit is null)
            return;
        await audit.DisposeAsync();
        LostEvents.Tell(audit, configuration.LogsDirectory, note);
    }
}
