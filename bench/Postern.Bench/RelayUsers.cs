using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Sasl;

namespace Postern.Bench;

/// <summary>Sixteen accounts in a real directory behind the relay's own verifiers and hashing threads, their secrets in one form.</summary>
internal sealed class RelayUsers : IDisposable
{
    public const string Realm = "bench.example.org";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("postern-bench-");
    private readonly SqliteDirectory directory;
    private readonly HashingPool pool = new(new HashingPoolOptions());
    private readonly string[] passwords;

    public RelayUsers(HashScheme scheme)
    {
        directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder.FullName, "directory.db")));
        var commands = new DirectoryCommands(directory, TimeProvider.System);
        passwords = [.. Enumerable.Range(0, 16).Select(i => Add(commands, Name(i), scheme))];

        // Remembers nothing: a right password is to be measured too.
        var cache = new VerificationCache(VerificationCache.DefaultCapacity, TimeSpan.Zero, TimeProvider.System);
        var decoys = new Decoys(directory.DecoyKey.Span);
        var store = AccountStores.Open(new StoreContext(directory, decoys, NoAuditLog.Instance, TimeProvider.System), new AccountSource("directory", Realm));
        Context = new AccountVerifiers([store], pool, cache, TimeProvider.System) { Decoys = decoys }.Context;
    }

    public SaslContext Context { get; }

    public static string Name(int number) => $"user{number:0000}@example.org";

    public string Password(int number) => passwords[number];

    public void Dispose()
    {
        pool.Dispose();
        directory.Dispose();
        folder.Delete(recursive: true);
    }

    private static string Add(DirectoryCommands commands, string name, HashScheme scheme)
    {
        commands.Accounts.Add(new AddAccount(name, [], []));
        return ((AdminOutcome.Issued)commands.Credentials.Add(new AddCredential(name) { Scheme = scheme })).Generated!.Reveal();
    }
}
