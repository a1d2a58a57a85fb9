using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// The jobs that wait for one destination. What is urgent comes first and what can wait comes last (RFC 6710), but for one place in eight,
/// which is for the least urgent. Among equals tenants take turns, then the senders of a tenant; those of one sender go in the order in
/// which they came. Used under the gate of its queue.
/// </summary>
internal sealed class JobLine
{
    /// <summary>One of so many is for what is least urgent, so that it is not kept back for ever.</summary>
    private const int Courtesy = 8;

    /// <summary>So many of those next in turn are looked at to see how long the first has waited.</summary>
    private const int Looks = 16;

    private readonly Level[] levels = [new(), new(), new()];
    private int takes;

    public int Count { get; private set; }

    public void Enqueue(DeliveryJob job)
    {
        var envelope = job.Message.Envelope;
        levels[UrgencyOf(envelope)].Enqueue(Sender.Of(envelope), job);
        Count++;
    }

    public bool TryDequeue([NotNullWhen(true)] out DeliveryJob? job)
    {
        job = null;
        if (Count == 0)
            return false;
        Count--;
        var level = ++takes % Courtesy == 0
            ? Array.FindLast(levels, static l => l.Count > 0)
            : Array.Find(levels, static l => l.Count > 0);
        job = level!.Dequeue();
        return true;
    }

    /// <summary>The first in that order that may go; of each tenant the next in turn is asked about, for all of it.</summary>
    public bool TryDequeue(Func<DeliveryJob, bool> may, [NotNullWhen(true)] out DeliveryJob? job)
    {
        job = null;
        if (Count == 0)
            return false;
        var isCourteous = ++takes % Courtesy == 0;
        for (var i = 0; i < levels.Length && job is null; i++)
            job = levels[isCourteous ? levels.Length - 1 - i : i].DequeueWhere(may);
        Count -= job is null ? 0 : 1;
        return job is not null;
    }

    /// <summary>
    /// When the one that has waited longest, of those next in turn, began to wait; a timestamp of the clock. Not of an empty line.
    /// </summary>
    public long OldestAt
    {
        get
        {
            var oldest = long.MaxValue;
            foreach (var level in levels)
            {
                if (level.Count > 0)
                    oldest = Math.Min(oldest, level.OldestAt);
            }

            return oldest;
        }
    }

    /// <summary>Whether a message would wait behind others of its sender, or is not urgent.</summary>
    public bool IsBehindOthers(Envelope envelope) =>
        UrgencyOf(envelope) is var level && level != 0 && levels[level].Has(Sender.Of(envelope));

    /// <summary>A job of the message is among them.</summary>
    public bool Holds(TrackedMessage message) =>
        levels[UrgencyOf(message.Envelope)].Find(Sender.Of(message.Envelope))?.Any(job => job.Message == message) == true;

    /// <summary>Takes all.</summary>
    public List<DeliveryJob> Drain()
    {
        var all = new List<DeliveryJob>(Count);
        while (TryDequeue(out var job))
            all.Add(job);
        return all;
    }

    /// <summary>Takes those of one message; the others stay as they are.</summary>
    public List<DeliveryJob> TakeOf(TrackedMessage message)
    {
        var (taken, others) = (new List<DeliveryJob>(), new List<DeliveryJob>());
        var level = levels[UrgencyOf(message.Envelope)];
        if (!level.Has(Sender.Of(message.Envelope)))
            return taken;
        while (level.Count > 0)
        {
            var job = level.Dequeue();
            (job.Message == message ? taken : others).Add(job);
        }

        foreach (var job in others)
            level.Enqueue(Sender.Of(job.Message.Envelope), job);
        Count -= taken.Count;
        return taken;
    }

    /// <summary>0 for what is urgent, 2 for what can wait. A stranger is not believed that it is urgent.</summary>
    public static int UrgencyOf(Envelope envelope)
    {
        if (envelope.Parameters.Others["MT-PRIORITY"] is not { } said
            || !int.TryParse(said, CultureInfo.InvariantCulture, out var priority))
            return 1;
        return priority < 0 ? 2 : priority > 0 && envelope.Login is not null ? 0 : 1;
    }

    /// <summary>Who sends: a login where there is one, else the reverse-path.</summary>
    private readonly record struct Sender(string Tenant, string Name)
    {
        public static Sender Of(Envelope envelope) =>
            new(envelope.Tenant ?? string.Empty, envelope.Login ?? envelope.Sender.Mailbox?.Address ?? string.Empty);
    }

    /// <summary>Jobs of one urgency. As long as they are all of one sender, they are one queue.</summary>
    private sealed class Level
    {
        private readonly Queue<DeliveryJob> only = new();
        private readonly Turns<string, Turns<string, Queue<DeliveryJob>>> tenants = new();
        private Sender sender;

        public int Count { get; private set; }

        public long OldestAt => only.TryPeek(out var first)
            ? first.ReadyAt
            : tenants.Next(Looks).SelectMany(static t => t.Next(Looks)).Take(Looks).Min(static jobs => jobs.Peek().ReadyAt);

        public bool Has(Sender who) => Find(who) is not null;

        /// <summary>The jobs of a sender; null where there are none.</summary>
        public Queue<DeliveryJob>? Find(Sender who) => only.Count == 0 ? tenants.Find(who.Tenant)?.Find(who.Name)
            : sender == who ? only
            : null;

        public void Enqueue(Sender who, DeliveryJob job)
        {
            if (Count++ == 0)
                sender = who;
            if (Count == 1 || (only.Count > 0 && sender == who))
            {
                only.Enqueue(job);
                return;
            }

            while (only.TryDequeue(out var other))
                Part(sender, other);
            Part(who, job);
        }

        public DeliveryJob Dequeue()
        {
            Count--;
            if (only.TryDequeue(out var job))
                return job;
            var senders = tenants.Take();
            var jobs = senders.Value.Take();
            job = jobs.Value.Dequeue();
            if (jobs.Value.Count > 0)
                senders.Value.Return(jobs);
            if (!senders.Value.IsEmpty)
                tenants.Return(senders);
            return job;
        }

        public DeliveryJob? DequeueWhere(Func<DeliveryJob, bool> may)
        {
            if (only.TryPeek(out var first))
                return may(first) ? Dequeue() : null;
            for (var others = tenants.Count; others > 0; others--)
            {
                if (may(tenants.Next(1).First().Next(1).First().Peek()))
                    return Dequeue();
                tenants.Return(tenants.Take());
            }

            return null;
        }

        private void Part(Sender who, DeliveryJob job) =>
            tenants.FindOrAdd(who.Tenant, static () => new()).FindOrAdd(who.Name, static () => new()).Enqueue(job);
    }

    /// <summary>Those that take turns, each by its key. One that is taken is out of it until it is put back behind the others.</summary>
    private sealed class Turns<TKey, TValue>
        where TKey : notnull
        where TValue : class
    {
        private readonly Queue<KeyValuePair<TKey, TValue>> order = new();
        private readonly Dictionary<TKey, TValue> members = [];

        public bool IsEmpty => order.Count == 0;

        public int Count => order.Count;

        public TValue? Find(TKey key) => members.GetValueOrDefault(key);

        public TValue FindOrAdd(TKey key, Func<TValue> make)
        {
            if (members.TryGetValue(key, out var found))
                return found;
            members[key] = found = make();
            order.Enqueue(new(key, found));
            return found;
        }

        public IEnumerable<TValue> Next(int most) => order.Take(most).Select(static pair => pair.Value);

        public KeyValuePair<TKey, TValue> Take()
        {
            var first = order.Dequeue();
            members.Remove(first.Key);
            return first;
        }

        public void Return(KeyValuePair<TKey, TValue> taken)
        {
            members[taken.Key] = taken.Value;
            order.Enqueue(taken);
        }
    }
}
