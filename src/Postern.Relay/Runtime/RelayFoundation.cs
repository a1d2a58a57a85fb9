using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Dkim;
using Postern.Relay.Dkim.Arc;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Runtime.Instruments;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;

namespace Postern.Relay.Runtime;

/// <summary>
/// What lasts while configurations come and go: the directory, the spool, the event log with its counts, what rules have counted, and what
/// logins rest on. Opened once, from <see cref="RelayOptions.DataDirectory"/>.
/// </summary>
public sealed class RelayFoundation : IAsyncDisposable
{
    private readonly CancellationTokenSource closing = new();
    private readonly Task indexing;
    private bool isClosed;

    private RelayFoundation(RelayOptions options, TimeProvider clock, SqliteDirectory directory, ISpool spool)
    {
        Clock = clock;
        DataDirectory = options.DataDirectory;
        Directory = directory;
        Spool = spool;
        Instruments = new RelayInstruments(Meters);
        Audit = new JsonLinesAuditLog(options.ToAuditLog(), clock, Totals, Live, Instruments);
        Signer = new DkimSigner(directory, options.Dkim, Tell) { Instruments = Instruments.Delivery };
        Sealer = new ArcSealer(Signer, options.Arc, options.Delivery with { Directory = directory }, clock);
        Counters = LocalCounters.Open(
            RelayOptions.CountersFile(options.DataDirectory),
            Audit,
            clock,
            RelayOptions.LimitsFile(options.DataDirectory),
            options.Policy.Limits.DefersIfLost);
        Suppressions = new SuppressionKeeper(directory, Audit, clock);
        Suppressions.Apply(options.Delivery.SuppressFor);
        Content = new ContentKeeper(
            new KeptFolder(RelayOptions.KeptDirectory(options.DataDirectory)),
            Audit,
            clock,
            options.Keep.MostOctets,
            options.SpoolOrLocal.ReserveOf);
        var logs = Audit.Options.Directory;
        indexing = Task.Run(() => AuditIndex.RemakeAsync(logs, closing.Token));
        Accounts = new AccountFoundation(
            directory,
            options.Accounts,
            Audit,
            clock,
            RelayOptions.LoginProtectionFile(options.DataDirectory),
            isServer: true,
            Instruments);
    }

    public TimeProvider Clock { get; }

    /// <summary>Where all of it is; the one thing that a new configuration cannot change.</summary>
    public string DataDirectory { get; }

    public SqliteDirectory Directory { get; }

    /// <summary>Addresses that bounced for good, on their way to the list.</summary>
    internal SuppressionKeeper Suppressions { get; }

    public ISpool Spool { get; }

    /// <summary>What is kept of messages whose delivery is over.</summary>
    internal ContentKeeper Content { get; }

    /// <summary>The event log.</summary>
    public JsonLinesAuditLog Audit { get; }

    /// <summary>What was counted on the way into the log.</summary>
    public RelayTotals Totals { get; } = new();

    /// <summary>Events as they happen, for whoever watches.</summary>
    public EventHub Live { get; } = new();

    /// <summary>The meters of everything here.</summary>
    public RelayMeters Meters { get; } = new();

    /// <summary>What is measured.</summary>
    internal RelayInstruments Instruments { get; }

    public AccountFoundation Accounts { get; }

    /// <summary>Signs what is sent.</summary>
    public DkimSigner Signer { get; }

    /// <summary>Seals what is forwarded.</summary>
    public ArcSealer Sealer { get; }

    /// <summary>What the rules count.</summary>
    public LocalCounters Counters { get; }

    /// <exception cref="DirectoryUnavailableException">The directory's database cannot be opened.</exception>
    /// <exception cref="SpoolUnavailableException">The spool cannot be opened, as when another process has it.</exception>
    public static async Task<RelayFoundation> OpenAsync(RelayOptions options, TimeProvider clock)
    {
        var directory = SqliteDirectory.Open(
            new SqliteDirectoryOptions(RelayOptions.DirectoryFile(options.DataDirectory)) { Clock = clock });
        ISpool? spool = null;
        try
        {
            spool = await options.SpoolOrLocal.OpenAsync(clock, CancellationToken.None);
            return new RelayFoundation(options, clock, directory, spool);
        }
        catch
        {
            if (spool is not null)
                await spool.DisposeAsync();
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Goes on with other settings; what is written, counted and remembered stays.</summary>
    internal void Apply(RelayOptions options)
    {
        Audit.Apply(options.ToAuditLog());
        Suppressions.Apply(options.Delivery.SuppressFor);
        Counters.Local.Apply(options.Policy.Limits.DefersIfLost);
        Content.Apply(options.Keep.MostOctets);
        Accounts.Hashing.Apply(options.Accounts.Hashing);
        Accounts.Protection.Apply(options.Accounts.Protection);
        Signer.Apply(options.Dkim);
        Sealer.Apply(options.Arc, options.Delivery with { Directory = Directory });
    }

    /// <summary>Writes a word about the server itself into the log.</summary>
    internal void Tell(string what, string detail) => Audit.Append(new ServerEvent(Clock.GetUtcNow(), what, detail));

    /// <summary>Closes all but the log, which others may still write into.</summary>
    internal async ValueTask CloseAsync()
    {
        if (isClosed)
            return;
        await Content.DisposeAsync();
        await Spool.DisposeAsync();
        await Suppressions.DisposeAsync();
        Counters.Dispose();
        Accounts.Dispose();
        Directory.Dispose();
        isClosed = true;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await closing.CancelAsync();
        await indexing;
        closing.Dispose();
        await Audit.DisposeAsync();
        Meters.Dispose();
    }
}
