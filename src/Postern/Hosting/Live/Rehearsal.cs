using Postern.Configuration;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;

namespace Postern.Hosting.Live;

/// <summary>What a server would decide, by the code of the server, over the directory's database alone: nothing is listened on, delivered or written down, and what was counted is not known.</summary>
internal sealed class Rehearsal : IDisposable
{
    private readonly Compiled compiled;
    private readonly SqliteDirectory? owned;
    private readonly AccountFoundation foundation;

    private Rehearsal(Compiled compiled, SqliteDirectory directory, bool isOwner, TimeProvider clock, Func<AccountOptions, AccountOptions>? change)
    {
        this.compiled = compiled;
        owned = isOwner ? directory : null;
        var options = compiled.ToRelay();
        options = options with { Id = Compilation.IdOf(compiled, directory.DecoyKey.Span), Accounts = change is null ? options.Accounts : change(options.Accounts) };
        foundation = new AccountFoundation(directory, options.Accounts, NoAuditLog.Instance, clock);
        Snapshot = RelaySnapshot.Compile(options, foundation, counters: null);
    }

    public RelaySnapshot Snapshot { get; }

    /// <summary>Opens the directory for it.</summary>
    /// <param name="change">Of what the configuration says of accounts; null for nothing.</param>
    /// <exception cref="DirectoryUnavailableException">The database cannot be opened.</exception>
    public static Rehearsal Open(Compiled compiled, TimeProvider clock, Func<AccountOptions, AccountOptions>? change = null)
    {
        var directory = SqliteDirectory.Open(compiled.Configuration.ToDirectory(clock));
        try
        {
            return new Rehearsal(compiled, directory, isOwner: true, clock, change);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>The same on a directory that stays the caller's.</summary>
    public static Rehearsal On(Compiled compiled, SqliteDirectory directory, TimeProvider clock) => new(compiled, directory, isOwner: false, clock, change: null);

    public void Dispose()
    {
        Snapshot.Dispose();
        foundation.Dispose();
        owned?.Dispose();
        compiled.Dispose();
    }
}
