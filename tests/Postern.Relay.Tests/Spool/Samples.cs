using System.Net;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments.Log;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Spool;

/// <summary>Messages to put into spools.</summary>
internal static class Samples
{
    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static Envelope Envelope(int recipients = 1) => new()
    {
        Id = QueueId.New(TimeProvider.System),
        ArrivedAt = new DateTimeOffset(2026, 11, 20, 10, 0, 0, 123, TimeSpan.FromHours(1)),
        Said = new(new ReversePath(Mailbox.Parse("lisa@example.org")), [.. Enumerable.Range(0, recipients).Select(static i => Mailbox.Parse($"r{i}@example.com"))]) { Parameters = MailParameters.EightBit },
        Login = "lisa@example.org",
        Client = IPAddress.Parse("2001:db8::7"),
        Listener = "submission",
    };

    /// <summary>An envelope that says everything an envelope can say.</summary>
    public static Envelope Asking() => Of(Envelope(recipients: 2));

    private static Envelope Of(Envelope envelope) => envelope with
    {
        Said = envelope.Said with
        {
            Parameters = new MailParameters
            {
                Body = BodyType.BinaryMime,
                IsUtf8 = true,
                Return = DsnReturn.Full,
                EnvelopeId = "QQ 314159+=",
                SubmittedBy = ReversePath.Null,
                RequiresTls = true,
                HoldUntil = new DateTimeOffset(2026, 11, 21, 10, 0, 0, TimeSpan.Zero),
                HoldFor = TimeSpan.FromHours(25),
                DeliverBy = new DeliverBy(TimeSpan.FromHours(3), IsNotify: true, IsTrace: true),
                Others = ParameterValues.None.With("MT-PRIORITY", "-3"),
            },
            RecipientParameters =
            [
                new() { Notify = DsnNotify.Success | DsnNotify.Delay, OriginalRecipient = new OriginalRecipient("rfc822", "Bob+x@example.com") },
                RecipientParameters.None,
            ],
        },
        HasUtf8Header = true,
        IsInbound = true,
        Tenant = "acme",
    };

    /// <summary>Octets that differ with the seed and nowhere repeat in a short period.</summary>
    public static byte[] Content(int length, int seed = 1)
    {
        var octets = new byte[length];
        new Random(seed).NextBytes(octets);
        return octets;
    }

    public static DeliveryState FreshState(Envelope envelope) => DeliveryState.Fresh(envelope.Recipients.Length, envelope.ArrivedAt);

    public static async Task<SpoolCommit> TryCommitAsync(ISpool spool, ReadOnlyMemory<byte> content, Envelope? envelope = null)
    {
        envelope ??= Envelope();
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(content, Ct);
        return await draft.CommitAsync(envelope, FreshState(envelope), Ct);
    }

    public static async Task<QueueId> CommitAsync(ISpool spool, ReadOnlyMemory<byte> content, Envelope? envelope = null) =>
        Assert.IsType<SpoolCommit.Durable>(await TryCommitAsync(spool, content, envelope)).Entry.Envelope.Id;

    /// <summary>Ends the delivery of a message: everybody got it. The entry as it is then.</summary>
    public static async Task<SpoolEntry> EndAsync(ISpool spool, QueueId id, string reply)
    {
        await using var claims = await spool.OpenClaimsAsync(Ct);
        var claim = await claims.ClaimAsync(id, Ct);
        Assert.NotNull(claim);
        var state = claim.Entry.State with
        {
            HasEnded = true,
            TriedAt = claim.Entry.Envelope.ArrivedAt,
            Recipients = [.. claim.Entry.Envelope.Recipients.Select((_, i) => new RecipientState(RecipientStatus.Delivered, reply) { Attempt = i + 1 })],
        };
        Assert.Equal(SpoolClaim.Answer.Done, await claims.EndAsync(claim, state, Ct));
        return claim.Entry with { State = state };
    }

    public static async Task<byte[]?> ReadAsync(ISpool spool, QueueId id, int step = 10_000)
    {
        using var content = spool.OpenContent(id);
        if (content is null)
            return null;
        var all = new byte[content.Length];
        var done = 0;
        while (await content.ReadAsync(done, all.AsMemory(done, Math.Min(step, all.Length - done)), Ct) is > 0 and var count)
            done += count;
        Assert.Equal(all.Length, done);
        Assert.Equal(0, await content.ReadAsync(content.Length, new byte[1], Ct));
        return all;
    }

    /// <summary>The records of a segment, sound ones only.</summary>
    public static IEnumerable<(int Offset, RecordHeader Header)> Records(byte[] log)
    {
        var stamp = SegmentHeader.Read(log)!.Value.Stamp;
        for (var at = SegmentHeader.Size; at + RecordHeader.Size <= log.Length; at += RecordHeader.Alignment)
        {
            if (RecordHeader.TryRead(log.AsSpan(at), stamp, at, out var header))
                yield return (at, header);
        }
    }

    /// <summary>Where the first message record of a segment stands.</summary>
    public static int FirstMessage(byte[] log) => Records(log).First(static r => r.Header.Kind == RecordKind.Message).Offset;

    /// <summary>Equality of records stops at their arrays; text does not.</summary>
    public static string Describe(SpoolEntry entry) =>
        $"{entry.Envelope.Id} {entry.Envelope.ArrivedAt:O} {entry.Envelope.Sender} -> {string.Join(',', entry.Envelope.Recipients)} "
        + $"{entry.Envelope.Login}/{entry.Envelope.Client}/{entry.Envelope.Listener}/{entry.Envelope.Is8Bit} {entry.Size} {Describe(entry.State)}";

    public static string Describe(DeliveryState state) =>
        $"[{state.Attempts} {state.NextAttempt:O} {state.Held} {string.Join(',', state.Recipients)}]";
}
