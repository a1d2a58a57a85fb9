using Postern.Configuration;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;

namespace Postern.Hosting;

/// <summary>The directory's database, opened for one command. A change is an event in the audit log.</summary>
internal sealed class DirectoryAccess : IAsyncDisposable
{
    private readonly PosternConfiguration configuration;
    private readonly SqliteDirectory directory;
    private readonly TimeProvider clock;
    private JsonLinesAuditLog? audit;

    private DirectoryAccess(PosternConfiguration configuration, SqliteDirectory directory, TimeProvider clock)
    {
        this.configuration = configuration;
        this.directory = directory;
        this.clock = clock;
    }

    public DirectoryQueries Queries => new(directory, clock);

    public DirectoryCommands Commands => new(directory, clock, audit ??= configuration.OpenAuditLog(clock), DirectoryOwner.Actor);

    /// <summary>The database.</summary>
    public string File => directory.Path;

    /// <summary>The realm of its DIGEST-MD5 secrets.</summary>
    public string Realm => configuration.Accounts.FirstOrDefault(static a => a.Uri == "directory")?.Realm ?? configuration.Realm;

    /// <exception cref="Postern.Relay.Accounts.DirectoryUnavailableException">Locked, damaged, not writable.</exception>
    public static DirectoryAccess Open(PosternConfiguration configuration, TimeProvider clock) =>
        new(configuration, SqliteDirectory.Open(configuration.ToDirectory(clock)), clock);

    public async ValueTask DisposeAsync()
    {
        directory.Dispose();
        if (audit is not null)
            await audit.DisposeAsync();
    }
}
