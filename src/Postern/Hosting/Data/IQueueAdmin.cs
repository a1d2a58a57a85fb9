using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Hosting.Data;

/// <summary>The queue as commands see it: the running server's, or the spool itself when no server runs.</summary>
internal interface IQueueAdmin : IAsyncDisposable
{
    ValueTask<QueuePage> ListAsync(QueueFilter filter, int limit, QueueId? after, CancellationToken ct);

    /// <summary>Null when the message is not there.</summary>
    ValueTask<QueueItem?> FindAsync(QueueId id, CancellationToken ct);

    /// <summary>Writes a message as it is queued; false when it is not there.</summary>
    ValueTask<bool> CopyContentAsync(QueueId id, Stream to, CancellationToken ct);

    /// <param name="with">As in <see cref="QueueCommands.ApplyAsync"/>, and good in the eyes of <see cref="QueueCommands.WhyNot"/>.</param>
    ValueTask<QueueChange> ApplyAsync(QueueAction action, QueueFilter filter, string? with, CancellationToken ct);

    /// <summary>Counts what waits.</summary>
    ValueTask<QueueStatistics> CountAsync(QueueFilter filter, int most, CancellationToken ct);

    /// <summary>Sends a message again whose content is kept.</summary>
    /// <inheritdoc cref="KeptCommands.ResendAsync"/>
    ValueTask<Resending> ResendAsync(QueueId id, ImmutableArray<Mailbox> to, bool onlyFailed, CancellationToken ct);

    /// <summary>Suspends domains, or resumes them; none only asks which are.</summary>
    ValueTask<SuspensionChange> SuspendAsync(string[] domains, bool suspends, CancellationToken ct);
}

/// <summary>The queue of a server that does not run, through the same code as that of one that does.</summary>
/// <param name="resources">What was opened for it: spool, log. Disposed with it, in this order.</param>
internal sealed class LocalQueue(
    QueueQueries queries, QueueCommands commands, SuspensionCommands suspensions, params IReadOnlyList<IAsyncDisposable> resources)
    : IQueueAdmin
{
    /// <summary>Sends again what is kept, into the same spool.</summary>
    public required Func<QueueId, ImmutableArray<Mailbox>, bool, CancellationToken, ValueTask<Resending>> Resend { private get; init; }

    /// <summary>Called when everything is disposed.</summary>
    public Action? WhenClosed { get; init; }

    public ValueTask<QueuePage> ListAsync(QueueFilter filter, int limit, QueueId? after, CancellationToken ct) =>
        queries.ListAsync(filter, limit, after, ct);

    public ValueTask<QueueItem?> FindAsync(QueueId id, CancellationToken ct) => queries.FindAsync(id, ct);

    public ValueTask<bool> CopyContentAsync(QueueId id, Stream to, CancellationToken ct) =>
        commands.CopyContentAsync(id, to, DirectoryAccess.ByCommand, ct);

    public ValueTask<QueueChange> ApplyAsync(QueueAction action, QueueFilter filter, string? with, CancellationToken ct) =>
        commands.ApplyAsync(action, filter, DirectoryAccess.ByCommand, ct, with);

    public ValueTask<QueueStatistics> CountAsync(QueueFilter filter, int most, CancellationToken ct) =>
        queries.CountAsync(filter, most, ct);

    public ValueTask<Resending> ResendAsync(QueueId id, ImmutableArray<Mailbox> to, bool onlyFailed, CancellationToken ct) =>
        Resend(id, to, onlyFailed, ct);

    public ValueTask<SuspensionChange> SuspendAsync(string[] domains, bool suspends, CancellationToken ct) =>
        suspensions.ApplyAsync(domains, suspends, DirectoryAccess.ByCommand, ct);

    public async ValueTask DisposeAsync()
    {
        foreach (var resource in resources)
            await resource.DisposeAsync();
        WhenClosed?.Invoke();
    }
}
