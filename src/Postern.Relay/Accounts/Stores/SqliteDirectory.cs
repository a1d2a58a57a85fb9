using System.Net;
using System.Runtime.CompilerServices;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// The directory in a SQLite file. What was read once is answered from memory for as long as nobody has committed since;
/// that is looked at every time, so a change by any process counts from the next answer on. Safe to use from any thread. Where
/// another process has locked the file, who awaits an answer holds no thread meanwhile: one looks for all.
/// </summary>
public sealed class SqliteDirectory : IDirectory, ISuppressions, IDisposable
{
    private static readonly TimeSpan FileCheckInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private readonly SqliteDirectoryOptions options;
    private readonly Lock gate = new();
    private DirectoryConnection? reader;
    private WalIndex? wal;
    private DirectoryCache cache = new(version: 0, new DirectoryCosts());
    private DirectoryCosts costs = new();
    private StoredForms common = DirectoryStore.Common;
    private DateTime fileBorn;
    private long fileChecked;
    private Task unlocked = Task.CompletedTask;
    private volatile bool impatient;
    private bool closed;

    private SqliteDirectory(SqliteDirectoryOptions options) => this.options = options;

    public string Path => options.Path;

    /// <summary>The last question was answered; asks nothing.</summary>
    public bool IsReadable => !impatient;

    /// <summary>
    /// Opens the database, makes it where <see cref="SqliteDirectoryOptions.Create"/> says so, and brings it to this program's schema.
    /// </summary>
    /// <exception cref="DirectoryUnavailableException">Missing, locked, damaged, newer than the program, not writable.</exception>
    public static SqliteDirectory Open(SqliteDirectoryOptions options)
    {
        DirectoryFile.Ensure(options);
        var directory = new SqliteDirectory(options);
        using (var connection = DirectoryConnection.Open(options))
        {
            Migrations.Apply(connection, options.Path);
            directory.DecoyKey = connection.InTransaction(
                "begin", static c => c.Sql.ExecuteScalar<byte[]>("select key from keys where name = 'decoy'") ?? []);
        }

        lock (directory.gate)
            directory.Connect();
        return directory;
    }

    /// <summary>
    /// Copies the database in <paramref name="from"/> to <paramref name="to"/>, a new file of mode 0600, as it is at one moment; others may
    /// read and write it meanwhile. It is not brought to this program's schema.
    /// </summary>
    /// <exception cref="DirectoryUnavailableException">One of them is missing, locked, damaged, or cannot be written.</exception>
    public static void Copy(string from, string to)
    {
        var (source, target) = (new SqliteDirectoryOptions(from) { Create = false }, new SqliteDirectoryOptions(to));
        DirectoryFile.Ensure(source);
        DirectoryFile.Ensure(target);
        using var original = DirectoryConnection.Open(source);
        using var copy = DirectoryConnection.Open(target);
        try
        {
            original.Sql.BackupDatabase(copy.Sql);
        }
        catch (SqliteException e)
        {
            throw DirectoryFaults.Unavailable(from, source.BusyTimeout, e.SqliteErrorCode, e.Message, e);
        }
    }

    /// <summary>A random key that lives as long as the database: what is derived from it does not change with a restart.</summary>
    public ReadOnlyMemory<byte> DecoyKey { get; private set; }

    public Account? FindAccount(string name) => AccountOf(FindLogin(name));

    public bool IsListed(Domain domain) => FactsOfDomain(domain).IsListed;

    public bool AcceptsRecipients(Domain domain) => FactsOfDomain(domain).AcceptsRecipients;

    public IPNetwork? FindNetwork(IPAddress client, Domain domain) => NetworkOf(FactsOfDomain(domain), client);

    async ValueTask<Account?> IDirectory.FindAccountAsync(string name, CancellationToken ct) => AccountOf(await FindLoginAsync(name, ct));

    async ValueTask<StoredCredential?> IDirectory.FindCredentialAsync(string name, string id, CancellationToken ct) =>
        await FindLoginAsync(name, ct) is LoginAnswer.Found<StoredLogin> { Stored: var login } ? login.Find(id) : null;

    async ValueTask<string?> IDirectory.FindOwnerAsync(Mailbox address, CancellationToken ct) =>
        await AskAsync(address.Canonical, KnownOwner, ReadOwner, ct) is { Length: > 0 } name ? name : null;

    async ValueTask<bool> IDirectory.IsListedAsync(Domain domain, CancellationToken ct) => (await FactsOfDomainAsync(domain, ct)).IsListed;

    async ValueTask<bool> IDirectory.AcceptsRecipientsAsync(Domain domain, CancellationToken ct) =>
        (await FactsOfDomainAsync(domain, ct)).AcceptsRecipients;

    async ValueTask<IPNetwork?> IDirectory.FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct) =>
        NetworkOf(await FactsOfDomainAsync(domain, ct), client);

    public async ValueTask<Suppression?> FindSuppressionAsync(string? tenant, Mailbox recipient, CancellationToken ct)
    {
        var found = await AskAsync(recipient.Canonical, KnownSuppressions, ReadSuppressions, ct);
        if (found.Length == 0)
            return null;
        var now = options.Clock.GetUtcNow();
        return Array.Find(found, one => !(one.ExpiresAt <= now)
            && (one.Tenant is null || string.Equals(one.Tenant, tenant, StringComparison.OrdinalIgnoreCase)));
    }

    /// <summary>What is kept of an account, by its canonical name; the same object while nothing changed.</summary>
    public LoginAnswer FindLogin(string name) => Ask(name, KnownLogin, ReadLogin);

    /// <summary>The same, awaited.</summary>
    public ValueTask<LoginAnswer> FindLoginAsync(string name, CancellationToken ct) => AskAsync(name, KnownLogin, ReadLogin, ct);

    /// <summary>Of the costliest account of those that were there at the last question.</summary>
    public HashCosts Costs => costs.Most;

    /// <summary>
    /// The forms that every account has which can log in; those of the last answer where the database cannot be asked now.
    /// </summary>
    public StoredForms CommonForms
    {
        get
        {
            try
            {
                common = AskOnce(
                    string.Empty,
                    static (cache, _) => cache.CommonForms,
                    static (cache, sql, _) => cache.CommonForms = new(DirectoryReader.CommonForms(sql))).Value;
            }
            catch (DirectoryUnavailableException)
            {
                // Whoever logs in is told.
            }

            return common;
        }
    }

    /// <summary>The keys that sign for a domain, in its canonical form.</summary>
    internal ValueTask<SigningKeys> FindSigningKeysAsync(string domain, CancellationToken ct) => AskAsync(
        domain,
        static (cache, name) => cache.SigningKeys(name),
        static (cache, sql, name) => cache.Add(name, SigningKeys.Read(sql, name)),
        ct);

    /// <summary>Whether any domain has a key that signs.</summary>
    internal ValueTask<StrongBox<bool>> HasSigningKeysAsync(CancellationToken ct) => AskAsync(
        string.Empty,
        static (cache, _) => cache.HasSigningKeys,
        static (cache, sql, _) => cache.HasSigningKeys = SigningKeys.ReadAny(sql),
        ct);

    /// <summary>What another part of the program keeps here, remembered like everything else for as long as nobody has committed.</summary>
    /// <param name="key">One for each type and thing.</param>
    internal ValueTask<T> FindAsync<T>(string key, Func<SqliteConnection, T> read, CancellationToken ct)
        where T : class =>
        AskAsync(key, static (cache, name) => cache.Other<T>(name), (cache, sql, name) => cache.AddOther(name, read(sql)), ct);

    /// <summary>
    /// Reads one state of the database in <paramref name="path"/>, which stays as it is, whatever its schema; nothing and no problem where
    /// there is no file.
    /// </summary>
    internal static (string? Problem, T? Found) Look<T>(string path, Func<SqliteConnection, T> read)
    {
        if (!File.Exists(path))
            return default;
        try
        {
            using var connection = DirectoryConnection.Open(new SqliteDirectoryOptions(path) { Create = false });
            return (null, connection.InTransaction("begin", c => read(c.Sql)));
        }
        catch (DirectoryUnavailableException e)
        {
            return (e.Message, default);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            Disconnect();
        }
    }

    /// <summary>Reads one state of the database, beside the questions above.</summary>
    internal T Read<T>(Func<SqliteConnection, T> read) => Apart("begin", read);

    /// <summary>Changes the database in one transaction; seen by every later question here and elsewhere.</summary>
    internal T Write<T>(Func<SqliteConnection, T> change) => Apart("begin immediate", change);

    /// <summary>Does what <see cref="Write"/> does, and keeps nothing of it.</summary>
    internal T Try<T>(Func<SqliteConnection, T> change) => Apart("begin immediate", change, end: "rollback");

    private T Apart<T>(string begin, Func<SqliteConnection, T> work, string end = "commit")
    {
        if (!File.Exists(options.Path))
            throw DirectoryFaults.Missing(options.Path);
        using var connection = DirectoryConnection.Open(options);
        return connection.InTransaction(begin, c => work(c.Sql), end);
    }

    private static Account? AccountOf(LoginAnswer answer) =>
        answer is LoginAnswer.Found<StoredLogin> { Stored: var login } ? login.Account : null;

    private static IPNetwork? NetworkOf(DomainFacts facts, IPAddress client)
    {
        var address = client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client;
        foreach (var network in facts.Networks)
        {
            if (network.Contains(address))
                return network;
        }

        return null;
    }

    private static LoginAnswer? KnownLogin(DirectoryCache cache, string name) => cache.Account(name);

    private static LoginAnswer ReadLogin(DirectoryCache cache, SqliteConnection sql, string name) =>
        cache.Add(name, DirectoryReader.ReadAccount(sql, name));

    private static string? KnownOwner(DirectoryCache cache, string address) => cache.Owner(address);

    private static string ReadOwner(DirectoryCache cache, SqliteConnection sql, string address) =>
        cache.AddOwner(address, DirectoryReader.ReadOwner(sql, address));

    private static DomainFacts? KnownDomain(DirectoryCache cache, string name) => cache.Domain(name);

    private static DomainFacts ReadDomain(DirectoryCache cache, SqliteConnection sql, string name) =>
        cache.Add(name, DirectoryReader.ReadDomain(sql, name));

    private static Suppression[]? KnownSuppressions(DirectoryCache cache, string address) => cache.Suppressions(address);

    private static Suppression[] ReadSuppressions(DirectoryCache cache, SqliteConnection sql, string address) =>
        cache.Add(address, DirectoryReader.ReadSuppressions(sql, address), DirectoryReader.HasSuppressions, sql);

    private DomainFacts FactsOfDomain(Domain domain) => Ask(domain.Text, KnownDomain, ReadDomain);

    private ValueTask<DomainFacts> FactsOfDomainAsync(Domain domain, CancellationToken ct) =>
        AskAsync(domain.Text, KnownDomain, ReadDomain, ct);

    /// <summary>For who has a thread of its own: it waits for another's lock.</summary>
    private T Ask<T>(string name, Known<T> known, Reader<T> read)
        where T : class
    {
        var begun = TimeProvider.System.GetTimestamp();
        using var pause = new ManualResetEventSlim();
        while (true)
        {
            try
            {
                return AskOnce(name, known, read);
            }
            catch (DirectoryUnavailableException e) when (e.IsLocked && !impatient && IsPatient(begun))
            {
                pause.Wait(ShortestPause);
            }
            catch (DirectoryUnavailableException)
            {
                GiveUp();
                throw;
            }
        }
    }

    /// <summary>From memory at once, and from a file that nobody has locked.</summary>
    private ValueTask<T> AskAsync<T>(string name, Known<T> known, Reader<T> read, CancellationToken ct)
        where T : class
    {
        try
        {
            return new(AskOnce(name, known, read));
        }
        catch (DirectoryUnavailableException e) when (e.IsLocked && !impatient)
        {
            return AskLaterAsync(name, known, read, ct);
        }
        catch (DirectoryUnavailableException)
        {
            GiveUp();
            throw;
        }
    }

    private async ValueTask<T> AskLaterAsync<T>(string name, Known<T> known, Reader<T> read, CancellationToken ct)
        where T : class
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await UnlockedAsync().WaitAsync(ct);
            try
            {
                return AskOnce(name, known, read);
            }
            catch (DirectoryUnavailableException e) when (e.IsLocked && !impatient && IsPatient(begun))
            {
            }
            catch (DirectoryUnavailableException)
            {
                GiveUp();
                throw;
            }
        }
    }

    /// <summary>Done when the file can be read, or was locked for as long as anybody waits. One looks for all who wait.</summary>
    private Task UnlockedAsync()
    {
        lock (gate)
            return unlocked.IsCompleted ? unlocked = LookAsync() : unlocked;

        async Task LookAsync()
        {
            var begun = TimeProvider.System.GetTimestamp();
            for (var pause = ShortestPause; IsPatient(begun); pause = pause < LongestPause ? pause * 2 : LongestPause)
            {
                await Task.Delay(pause);
                if (!IsLocked())
                    return;
            }

            impatient = true;
        }
    }

    private bool IsPatient(long begun) => TimeProvider.System.GetElapsedTime(begun) < options.BusyTimeout;

    private bool IsLocked()
    {
        lock (gate)
        {
            try
            {
                return Connect().InTransaction("begin", static c => c.DataVersion()) < 0;
            }
            catch (DirectoryUnavailableException e)
            {
                return e.IsLocked; // anything else is told to whoever asks next
            }
        }
    }

    /// <summary>Does not wait for a lock. What is known, or is read from a file that nobody has locked.</summary>
    private T AskOnce<T>(string name, Known<T> known, Reader<T> read)
        where T : class
    {
        lock (gate)
        {
            var connection = Connect();
            if (wal is not { IsAsSeen: true })
            {
                wal?.Look();
                Refresh(connection);
            }

            var facts = known(cache, name) ?? Read(connection, name, read);
            impatient = false;
            return facts;
        }
    }

    private T Read<T>(DirectoryConnection connection, string name, Reader<T> read)
        where T : class
    {
        // Before the transaction begins: what is noted must not be newer than what is read.
        wal?.Look();
        return connection.InTransaction("begin", c =>
        {
            Refresh(c);
            cache.ReadCosts(c.Sql);
            return read(cache, c.Sql, name);
        });
    }

    private void Refresh(DirectoryConnection connection)
    {
        var version = connection.DataVersion();
        if (version != cache.Version)
            cache = new DirectoryCache(version, costs);
    }

    /// <summary>The open connection; a new one when the file has been replaced, as a restored backup is.</summary>
    private DirectoryConnection Connect()
    {
        if (reader is not null && options.Clock.GetElapsedTime(fileChecked) < FileCheckInterval)
            return reader;
        if (closed)
            throw new DirectoryUnavailableException($"directory {options.Path}: it is closed");
        fileChecked = options.Clock.GetTimestamp();
        if (!File.Exists(options.Path))
            throw DirectoryFaults.Missing(options.Path);
        var born = File.GetCreationTimeUtc(options.Path);
        if (reader is not null && born == fileBorn)
            return reader;

        Disconnect();
        var opened = DirectoryConnection.Open(options, patience: TimeSpan.Zero);
        try
        {
            Migrations.Apply(opened, options.Path);
        }
        catch (DirectoryUnavailableException)
        {
            opened.Dispose();
            throw;
        }

        fileBorn = born;
        reader = opened;
        if (options.UseWalIndex)
            wal = WalIndex.TryOpen(reader.Sql.Handle!);
        return reader;
    }

    /// <summary>
    /// After a failure nobody waits again until an answer has come: the callers of a stuck database would else queue up behind
    /// each other's patience.
    /// </summary>
    private void GiveUp()
    {
        lock (gate)
        {
            impatient = true;
            Disconnect();
        }
    }

    private void Disconnect()
    {
        wal = null;
        reader?.Dispose();
        reader = null;
        costs = costs.Again();
        cache = new DirectoryCache(version: 0, costs);
    }

    /// <summary>What is known of a name already.</summary>
    private delegate T? Known<T>(DirectoryCache cache, string name)
        where T : class;

    private delegate T Reader<T>(DirectoryCache cache, SqliteConnection sql, string name)
        where T : class;
}
