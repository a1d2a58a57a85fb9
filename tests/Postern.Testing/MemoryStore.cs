using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Testing;

/// <summary>Keeps messages in memory and lets a test wait for the next one.</summary>
public sealed class MemoryStore : IMessageStore
{
    private readonly ConcurrentQueue<StoredMessage> messages = new();
    private readonly Channel<StoredMessage> arrivals = Channel.CreateUnbounded<StoredMessage>();
    private int count;
    private long octets;

    public IReadOnlyCollection<StoredMessage> Messages => messages;

    /// <summary>Everything, unless a test says otherwise: what a client asked is kept with each message.</summary>
    public StoreFeatures Honours { get; set; } =
        StoreFeatures.DeliveryReports | StoreFeatures.Utf8 | StoreFeatures.RequireTls | StoreFeatures.DeliverBy | StoreFeatures.Hold | StoreFeatures.Binary;

    /// <summary>When set, every DATA is refused with it before 354.</summary>
    public Reply? RefuseAtData { get; set; }

    /// <summary>When set, every commit is refused with it.</summary>
    public Reply? RefuseAtCommit { get; set; }

    /// <summary>When set, these are the answers to the first recipients of a message, each its own.</summary>
    public IReadOnlyList<Reply>? PerRecipient { get; set; }

    /// <summary>When set, every commit waits for it first.</summary>
    public Func<Task>? BeforeCommit { get; set; }

    public int Discarded { get; private set; }

    /// <summary>Content taken so far, of all drafts.</summary>
    public long Octets => Interlocked.Read(ref octets);

    /// <summary>The next message in order of arrival; each is handed out once, and stays in <see cref="Messages"/>.</summary>
    public ValueTask<StoredMessage> NextAsync(CancellationToken ct) => arrivals.Reader.ReadAsync(ct);

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(RefuseAtData is { } reply ? new DraftAnswer.Refuse(reply) : new DraftAnswer.Open(new Draft(this, session, transaction)));

    private sealed class Draft(MemoryStore store, SessionState session, Transaction transaction) : IMessageDraft
    {
        private readonly MemoryStream content = new();
        private bool committed;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
        {
            content.Write(octets.Span);
            Interlocked.Add(ref store.octets, octets.Length);
            return ValueTask.CompletedTask;
        }

        public async ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
        {
            if (store.BeforeCommit is { } wait)
                await wait();
            if (store.RefuseAtCommit is { } reply)
                return new StoreOutcome.Refused(reply);
            committed = true;
            var message = new StoredMessage(transaction.Sender, [.. transaction.Recipients.Select(static r => r.Mailbox)], content.ToArray(), session.Identity?.AuthorizationId, session.Protocol)
            {
                Parameters = transaction.Parameters,
                RecipientParameters = [.. transaction.Recipients.Select(static r => r.Parameters)],
            };
            store.messages.Enqueue(message);
            store.arrivals.Writer.TryWrite(message);
            if (store.PerRecipient is { } replies)
                return new StoreOutcome.PerRecipient([.. replies.Take(transaction.Recipients.Count)]);
            return new StoreOutcome.Stored(Interlocked.Increment(ref store.count).ToString(CultureInfo.InvariantCulture));
        }

        public ValueTask DisposeAsync()
        {
            if (!committed)
                store.Discarded++;
            content.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
