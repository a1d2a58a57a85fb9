using Postern.Configuration;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;

namespace Postern.Hosting;

/// <summary>The directory's database, opened for one command.</summary>
internal sealed class DirectoryAccess : IDisposable
{
    private readonly SqliteDirectory directory;

    private DirectoryAccess(SqliteDirectory directory, TimeProvider clock)
    {
        this.directory = directory;
        Queries = new DirectoryQueries(directory, clock);
        Commands = new DirectoryCommands(directory, clock, audit: null, Environment.UserName);
    }

    public DirectoryQueries Queries { get; }

    public DirectoryCommands Commands { get; }

    /// <exception cref="Postern.Relay.Accounts.DirectoryUnavailableException">Locked, damaged, not writable.</exception>
    public static DirectoryAccess Open(PosternConfiguration configuration, TimeProvider clock) =>
        new(SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(configuration.Server.Data, DataDirectory.DatabaseName)) { Clock = clock }), clock);

    public void Dispose() => directory.Dispose();
}
