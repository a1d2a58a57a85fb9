using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Relay.Spool.Memory;

namespace Postern.Hosting.Control;

/// <summary>Finds whoever can answer for the queue.</summary>
internal static class QueueAccess
{
    /// <summary>The running server when there is one, else the spool itself.</summary>
    /// <param name="note">Told what went wrong beside the work itself.</param>
    /// <exception cref="SpoolUnavailableException">No server answers, and the spool cannot be opened.</exception>
    public static async ValueTask<IQueueAdmin> OpenAsync(
        PosternConfiguration configuration, TimeProvider clock, Action<string> note, CancellationToken ct) =>
        await ControlClient.ConnectAsync(DataDirectory.ControlSocket(configuration.Server.Data), ct)
        ?? (IQueueAdmin)await OpenSpoolAsync(configuration, clock, note, ct);

    /// <summary>The server that runs on a data directory; null for none.</summary>
    public static async ValueTask<IQueueAdmin?> FindServerAsync(string data, CancellationToken ct) =>
        await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct);

    private static async ValueTask<LocalQueue> OpenSpoolAsync(
        PosternConfiguration configuration, TimeProvider clock, Action<string> note, CancellationToken ct)
    {
        var options = configuration.ToSpool();
        var suspensions = Suspensions.Open(RelayOptions.SuspensionsFile(configuration.Server.Data));
        // Where nothing was ever accepted, asking must not make a spool.
        ISpool spool = options.IsUnused ? new MemorySpool() : await options.OpenAsync(clock, ct);
        var audit = configuration.OpenAuditLog(clock);
        var kept = new KeptCommands(new KeptFolder(RelayOptions.KeptDirectory(configuration.Server.Data)), audit, clock);
        return new LocalQueue(
            new QueueQueries(spool, suspensions: suspensions, bounces: () => BounceTable.With(configuration.Delivery.Bounces)),
            new QueueCommands(spool, new SpoolQueueControl(spool, clock), audit, clock),
            Of(suspensions, audit, clock),
            spool,
            audit)
        {
            Resend = (id, to, onlyFailed, token) => kept.ResendAsync(id, to, onlyFailed, spool, DirectoryAccess.ByCommand, token),
            WhenClosed = () => LostEvents.Tell(audit, configuration.LogsDirectory, note),
        };
    }

    private static SuspensionCommands Of(Suspensions suspensions, IAuditLog audit, TimeProvider clock) =>
        new((domains, suspends) => new(suspensions.Change(domains, suspends)), () => suspensions.All, audit, clock);
}
