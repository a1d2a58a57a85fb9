using System.Collections.Frozen;
using System.Globalization;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <summary>
/// How much mail is held for its senders (RFC 4865), by login and by tenant, and whether one may have more of it held. A message counts
/// until its release, or until it has left the spool for another reason: that is looked for, now and then, where a limit is reached.
/// </summary>
/// <param name="limits">Those in force.</param>
internal sealed class HeldMail(ISpool spool, TimeProvider clock, Func<HeldLimits> limits)
{
    /// <summary>Between two looks for what has left the spool early.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<(HeldOwner Kind, string Name), Share> shares = [];

    /// <summary>A message that is in the spool; counts where it is held for its sender.</summary>
    public void Note(SpoolEntry entry)
    {
        var envelope = entry.Envelope;
        if (envelope.HeldUntil is null || !entry.State.IsForLater(envelope, clock.GetUtcNow()))
            return;
        lock (gate)
        {
            foreach (var owner in OwnersOf(envelope.Login, envelope.Tenant))
            {
                if (!shares.TryGetValue(owner, out var share))
                    shares[owner] = share = new Share(clock);
                share.Add(envelope.Id, entry.Size, envelope.ReleasedAt);
            }
        }
    }

    /// <summary>Whose limit stands against another held message of so many octets; null where none does.</summary>
    public async ValueTask<HeldExcess?> WhyNotAsync(string? login, string? tenant, long octets, CancellationToken ct)
    {
        foreach (var owner in OwnersOf(login, tenant))
        {
            if (LimitOf(owner) is not { } limit)
                continue;
            // A message that is too large by itself is not helped by what has left.
            if (!Fits(owner, limit, octets)
                && (octets > limit.Octets || !await LookAsync(owner, ct).ConfigureAwait(false) || !Fits(owner, limit, octets)))
                return new HeldExcess(owner.Kind, owner.Name, limit);
        }

        return null;
    }

    private static IEnumerable<(HeldOwner Kind, string Name)> OwnersOf(string? login, string? tenant)
    {
        if (login is not null)
            yield return (HeldOwner.Login, login);
        if (tenant is not null)
            yield return (HeldOwner.Tenant, tenant.ToLowerInvariant());
    }

    private HeldLimit? LimitOf((HeldOwner Kind, string Name) owner) =>
        owner.Kind == HeldOwner.Login ? limits().Login : limits().Tenants.GetValueOrDefault(owner.Name);

    private bool Fits((HeldOwner, string) owner, HeldLimit limit, long octets)
    {
        lock (gate)
        {
            if (!shares.TryGetValue(owner, out var share))
                return octets <= limit.Octets;
            share.Release(clock.GetUtcNow());
            if (share.Count == 0)
                shares.Remove(owner);
            return share.Count < limit.Messages && share.Octets + octets <= limit.Octets;
        }
    }

    /// <summary>Takes out what is in the spool no more; false where it was looked for a moment ago.</summary>
    private async ValueTask<bool> LookAsync((HeldOwner, string) owner, CancellationToken ct)
    {
        QueueId[] ids;
        lock (gate)
        {
            if (!shares.TryGetValue(owner, out var share))
                return true;
            if (!share.TryLook(Pause))
                return false;
            ids = share.Ids;
        }

        var gone = new HashSet<QueueId>();
        foreach (var id in ids)
        {
            if (await spool.FindAsync(id, ct).ConfigureAwait(false) is null)
                gone.Add(id);
        }

        lock (gate)
        {
            if (shares.TryGetValue(owner, out var share))
                share.Remove(gone);
        }

        return true;
    }

    /// <summary>What one login or tenant has held.</summary>
    private sealed class Share(TimeProvider clock)
    {
        private PriorityQueue<(QueueId Id, long Size), DateTimeOffset> held = new();
        private long? lookedAt;

        public int Count => held.Count;

        public long Octets { get; private set; }

        public QueueId[] Ids => [.. held.UnorderedItems.Select(static item => item.Element.Id)];

        public void Add(QueueId id, long size, DateTimeOffset until)
        {
            held.Enqueue((id, size), until);
            Octets += size;
        }

        public void Release(DateTimeOffset now)
        {
            while (held.TryPeek(out var first, out var until) && until <= now)
            {
                held.Dequeue();
                Octets -= first.Size;
            }
        }

        public bool TryLook(TimeSpan pause)
        {
            if (lookedAt is { } at && clock.GetElapsedTime(at) < pause)
                return false;
            lookedAt = clock.GetTimestamp();
            return true;
        }

        public void Remove(HashSet<QueueId> gone)
        {
            if (gone.Count == 0)
                return;
            held = new(held.UnorderedItems.Where(item => !gone.Contains(item.Element.Id)));
            Octets = held.UnorderedItems.Sum(static item => item.Element.Size);
        }
    }
}

/// <summary>How much mail the server holds for its senders.</summary>
public sealed record HeldLimits
{
    /// <summary>For each login.</summary>
    public HeldLimit Login { get; init; } = new(Messages: 10_000, Octets: 5_000_000_000);

    /// <summary>For all accounts of a tenant together, by its name in lower case; of others there is none.</summary>
    public FrozenDictionary<string, HeldLimit> Tenants { get; init; } = FrozenDictionary<string, HeldLimit>.Empty;
}

/// <param name="Messages">The greatest number for no limit.</param>
/// <param name="Octets">Of content; the greatest number for no limit.</param>
public sealed record HeldLimit(int Messages, long Octets)
{
    /// <summary>In words, such as <c>10000 messages, 5000000000 octets</c>.</summary>
    public override string ToString()
    {
        var octets = Octets == long.MaxValue ? null : string.Create(CultureInfo.InvariantCulture, $"{Octets} octets");
        var messages = Messages == int.MaxValue ? null : string.Create(CultureInfo.InvariantCulture, $"{Messages} messages");
        return string.Join(", ", new[] { messages, octets }.OfType<string>());
    }
}

/// <summary>A limit that is reached.</summary>
internal sealed record HeldExcess(HeldOwner Kind, string Name, HeldLimit Limit);

/// <summary>Whose held mail is counted together.</summary>
internal enum HeldOwner
{
    Login,
    Tenant,
}
