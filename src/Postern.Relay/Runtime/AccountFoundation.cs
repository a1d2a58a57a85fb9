using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Relay.Runtime.Instruments;

namespace Postern.Relay.Runtime;

/// <summary>
/// What logins rest on whatever is configured: the directory's database, the threads that hash, the budgets of wrong logins, and the memory
/// of right ones. It lasts as long as the process; what the configuration says of accounts is <see cref="RelayAccounts"/>.
/// </summary>
public sealed class AccountFoundation : IDisposable
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(1);

    private readonly ITimer? saving;
    private readonly Action? save;

    /// <param name="directory">Stays the caller's.</param>
    /// <param name="protectionFile">Where the login protection is kept, once a minute and at the end; null for nowhere.</param>
    /// <param name="isServer">Logins are real: weak stored forms are replaced, and the use of credentials is noted.</param>
    /// <exception cref="IOException">It does not read who is suspended.</exception>
    public AccountFoundation(
        SqliteDirectory directory,
        AccountOptions options,
        IAuditLog audit,
        TimeProvider clock,
        string? protectionFile = null,
        bool isServer = false)
        : this(directory, options, audit, clock, protectionFile, isServer, instruments: null)
    {
    }

    internal AccountFoundation(
        SqliteDirectory directory,
        AccountOptions options,
        IAuditLog audit,
        TimeProvider clock,
        string? protectionFile,
        bool isServer,
        RelayInstruments? instruments)
    {
        Instruments = instruments;
        Directory = directory;
        Audit = audit;
        Clock = clock;
        Hashing = new HashingPool(options.Hashing, clock);
        Memory = new VerificationCache(clock);
        Health = new StoreHealths(audit, clock) { Durations = instruments?.Logins.Answers };
        Protection = new LoginProtection(options.Protection, audit, clock, directory.DecoyKey.Span);
        if (protectionFile is not null)
        {
            Protection.Load(protectionFile);
            save = () => Protection.Save(protectionFile);
            saving = clock.CreateTimer(_ => save(), state: null, SaveEvery, SaveEvery);
        }

        Suspended = SuspendedSenders.OpenBeside(directory.Path, audit, clock, isServer);
        Watch = isServer ? new LoginWatch(LoginWatch.FileBeside(directory.Path), Suspended, audit, clock) : null;
        Replacement = isServer ? new FormReplacement(directory, audit, clock) : null;
        Uses = isServer ? new CredentialUses(directory, LastUseFile.Beside(directory.Path), audit, clock) : null;
    }

    /// <summary>Null where nothing is measured.</summary>
    internal RelayInstruments? Instruments { get; }

    /// <summary>The built-in accounts.</summary>
    public SqliteDirectory Directory { get; }

    /// <summary>Where passwords are checked.</summary>
    public HashingPool Hashing { get; }

    /// <summary>How many guesses are checked.</summary>
    public LoginProtection Protection { get; }

    /// <summary>Who logs in and sends nothing.</summary>
    public SuspendedSenders Suspended { get; }

    /// <summary>What logins do otherwise; null where no login is real.</summary>
    public LoginWatch? Watch { get; }

    internal IAuditLog Audit { get; }

    internal TimeProvider Clock { get; }

    /// <summary>Passwords that were right.</summary>
    public VerificationCache Memory { get; }

    /// <summary>How each store has answered, whatever is configured now.</summary>
    internal StoreHealths Health { get; }

    /// <summary>Null where no login is real.</summary>
    internal FormReplacement? Replacement { get; }

    /// <summary>Null where no login is real.</summary>
    internal CredentialUses? Uses { get; }

    /// <summary>Attempts under way are answered that they cannot be checked.</summary>
    public void Dispose()
    {
        Hashing.Dispose();
        Watch?.Dispose();
        Suspended.Dispose();
        Replacement?.Dispose();
        Uses?.Dispose();
        saving?.Dispose();
        save?.Invoke();
    }
}
