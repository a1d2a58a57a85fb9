using System.Collections.Immutable;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Admin;

/// <summary>
/// Sends what waits for some recipients of a message to another one. An envelope never changes, so it is another message with the same
/// content; those recipients are then done in the first. A crash in between leaves both.
/// </summary>
internal sealed class Redirection(ISpool spool, TimeProvider clock)
{
    private const int Part = 64 * 1024;

    /// <summary>What has changed, for the log; null where nothing has.</summary>
    public async ValueTask<AdminChange[]?> RedirectAsync(QueueId id, QueueFilter filter, Mailbox to, CancellationToken ct)
    {
        if (await spool.FindAsync(id, ct) is not { } entry || filter.RecipientsOf(entry) is not { IsEmpty: false } recipients)
            return null;
        var copy = await CopyAsync(entry, recipients, to, ct);
        if (copy is not { } made)
            return null;
        var told = $"redirected to {to.Address} as {made}";
        await spool.ChangeAsync(id, now => now.State with { Recipients = Done(now.State.Recipients, recipients, told) }, ct);
        if (await spool.FindAsync(id, ct) is { State.IsFinished: true })
            await spool.RemoveAsync(id, ct);
        return
        [
            new AdminChange("recipients", string.Join(' ', recipients.Select(i => entry.Envelope.Recipients[i].Address)), to.Address),
            new AdminChange("message", id.ToString(), made.ToString()),
        ];
    }

    private static ImmutableArray<RecipientState> Done(
        ImmutableArray<RecipientState> states, ImmutableArray<int> recipients, string told) =>
    [
        .. states.Select((state, i) => recipients.Contains(i) && state.Status == RecipientStatus.Pending
            ? new RecipientState(RecipientStatus.Delivered, told)
            : state),
    ];

    /// <summary>Null where the message has gone meanwhile.</summary>
    private async ValueTask<QueueId?> CopyAsync(SpoolEntry entry, ImmutableArray<int> recipients, Mailbox to, CancellationToken ct)
    {
        using var content = await spool.OpenContentAsync(entry.Envelope.Id, ct);
        if (content is null)
            return null;
        await using var draft = spool.CreateDraft();
        var buffer = new byte[Part];
        for (long at = 0; at < content.Length;)
        {
            var read = await content.ReadAsync(at, buffer, ct);
            if (read == 0)
                throw new IOException($"the content of {entry.Envelope.Id} ends at {at} of {content.Length} octets");
            await draft.AppendAsync(buffer.AsMemory(0, read), ct);
            at += read;
        }

        var now = clock.GetUtcNow();
        var envelope = entry.Envelope with
        {
            Id = QueueId.New(clock),
            ArrivedAt = now,
            // Which recipients are lists, or places, was said of others.
            Expanded = entry.Envelope.Expanded is { } expanded
                ? expanded with { Open = [0], Places = [], Rewritten = [] }
                : null,
            Said = entry.Envelope.Said with
            {
                Recipients = [to],
                RecipientParameters = [entry.Envelope.ParametersInPlaceOf(recipients[0])],
            },
        };
        var isHeld = entry.State is { Held: true, HeldByServerAt: null };
        var state = DeliveryState.Fresh(recipients: 1, envelope.ReleasedAt) with
        {
            Held = isHeld,
            HeldFor = isHeld ? entry.State.HeldFor : null,
        };
        return await draft.CommitAsync(envelope, state, ct) switch
        {
            SpoolCommit.Durable => envelope.Id,
            SpoolCommit.Full(var reason) => throw new IOException(reason),
            SpoolCommit.Failed(var reason) => throw new IOException(reason),
            _ => throw new IOException("the spool did not take the message"),
        };
    }
}
