using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>Reports failed recipients to the envelope's sender, by a new message in the spool, and never about a report (RFC 5321 §6.1).</summary>
internal sealed class BounceReporter(ISpool spool, Domain hostname, IAuditLog audit, TimeProvider clock)
{
    private const int MaxHeaderOctets = 32 * 1024;

    /// <summary>True when the sender will know, or must not be told; false when the report could not be stored.</summary>
    public async ValueTask<bool> ReportAsync(Envelope original, ImmutableArray<RecipientFailure> failures, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (original.Sender.Mailbox is not { } sender)
        {
            audit.Append(new AuditEvent.Bounce(now, original.Id.ToString(), BounceId: null, To: string.Empty, "suppressed: the message has the null sender"));
            return true;
        }

        var header = await ReadHeaderAsync(original.Id, ct).ConfigureAwait(false);
        var id = QueueId.New(clock);
        var envelope = new Envelope { Id = id, ArrivedAt = now, Sender = ReversePath.Null, Recipients = [sender], Parameters = header.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)127) >= 0 ? new() { Body = Smtp.Session.BodyType.EightBitMime } : Smtp.Session.MailParameters.None };
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(Bounce.Write(id, hostname, original, failures, header, now), ct).ConfigureAwait(false);
        var commit = await draft.CommitAsync(envelope, DeliveryState.Fresh(recipients: 1, now), ct).ConfigureAwait(false);
        var problem = commit switch
        {
            SpoolCommit.Durable => null,
            SpoolCommit.Full(var reason) => reason,
            SpoolCommit.Failed(var reason) => reason,
            _ => "unknown answer of the spool",
        };
        audit.Append(problem is null
            ? new AuditEvent.Bounce(now, original.Id.ToString(), id.ToString(), sender.Address, $"{failures.Length} of {original.Recipients.Length} recipients failed: {failures[0].Reply}")
            : new AuditEvent.Bounce(now, original.Id.ToString(), BounceId: null, sender.Address, $"not stored, tried again later: {problem}"));
        return problem is null;
    }

    /// <summary>The original's header, cut at a line's end when it is long; empty when the content is damaged or gone.</summary>
    private async ValueTask<byte[]> ReadHeaderAsync(QueueId id, CancellationToken ct)
    {
        try
        {
            using var content = spool.OpenContent(id);
            if (content is null)
                return [];
            var buffer = new byte[(int)Math.Min(MaxHeaderOctets, content.Length)];
            var length = 0;
            while (length < buffer.Length && await content.ReadAsync(length, buffer.AsMemory(length), ct).ConfigureAwait(false) is > 0 and var read)
                length += read;
            return Header(buffer.AsSpan(0, length)).ToArray();
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return [];
        }
    }

    private static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> content)
    {
        var end = content.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            end = content.LastIndexOf("\r\n"u8);
        return end < 0 ? content : content[..(end + 2)];
    }
}
