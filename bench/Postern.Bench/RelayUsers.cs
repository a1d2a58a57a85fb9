using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Sasl;

namespace Postern.Bench;

/// <summary>Sixteen accounts in a real directory behind the relay's own verifiers and hashing threads.</summary>
internal sealed class RelayUsers : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("postern-bench-");
    private readonly SqliteDirectory directory;
    private readonly HashingPool pool = new(new HashingPoolOptions());
    private readonly string[] passwords;

    public RelayUsers()
    {
        directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder.FullName, "directory.db")));
        var commands = new DirectoryCommands(directory, TimeProvider.System);
        passwords = [.. Enumerable.Range(0, 16).Select(i => Add(commands, Name(i)))];

        // Remembers nothing: a right password is to be measured too.
        var cache = new VerificationCache(VerificationCache.DefaultCapacity, TimeSpan.Zero, TimeProvider.System);
        Context = new AccountVerifiers([AccountStores.All["directory"](new StoreContext(directory))], pool, cache, TimeProvider.System).Context;
    }

    public SaslContext Context { get; }

    public string Name(int number) => $"user{number:0000}@example.org";

    public string Password(int number) => passwords[number];

    public void Dispose()
    {
        pool.Dispose();
        directory.Dispose();
        folder.Delete(recursive: true);
    }

    private static string Add(DirectoryCommands commands, string name)
    {
        commands.Add(new AddAccount(name, [], []));
        return ((AdminOutcome.Issued)commands.Add(new AddCredential(name))).Generated!.Reveal();
    }
}
