using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Resting;

namespace Postern.Relay.Spool.Claims;

/// <summary>
/// What is due in a spool that keeps its index in memory: by due time, what was never tried and what was; shelves for what waits for room
/// at a claimant, and who has claimed what. A message costs 12 octets here; only claims, which are few, cost more. What waits is put at
/// rest (<see cref="SpoolItem.Rest"/>); what is claimed, and what has just come and goes at once, is whole. Every member wants the spool's
/// gate held.
/// </summary>
internal sealed class DueIndex(TimeProvider clock)
{
    /// <summary>In no order: an operator holds it, or it is not in the spool.</summary>
    public const int Nowhere = -1;

    private const int Claimed = -2;
    private const int Shelved = -3;

    private const int Heaps = 2;

    // Of what has just come: more than that does not go at once.
    private const int MostWhole = 2000;

    /// <summary>What was never tried takes turns with what was: a million that failed before keep no new mail waiting.</summary>
    private readonly DueHeap[] heaps = [new(0, Heaps), new(1, Heaps)];

    private readonly RestingWords words = new();
    private readonly Dictionary<string, Queue<SpoolItem>> shelves = new(StringComparer.Ordinal);
    private readonly Dictionary<QueueId, Claim> claims = [];
    private readonly List<Claimant> claimants = [];
    private int held;
    private int heldByServer;
    private int tried;
    private long fences;
    private long toldNext = long.MaxValue;

    /// <summary>Of what nobody has claimed, and how much is claimed.</summary>
    public SpoolTally Tally => new(held, heldByServer, claims.Count) { Tried = tried };

    public void Add(SpoolItem item)
    {
        Count(item.Standing, 1);
        Put(item);
    }

    /// <summary>It has waited, or will: it takes as little as it can.</summary>
    public void Rest(SpoolItem item) => item.Rest(words);

    /// <summary>Before its entry is forgotten.</summary>
    public void Remove(SpoolItem item)
    {
        if (item.Place == Claimed)
            claims.Remove(item.Id);
        else
            Count(item.Standing, -1);
        Lift(item);
        item.Place = Nowhere;
    }

    /// <summary>It has another state.</summary>
    public void Change(SpoolItem item, DeliveryState state)
    {
        var before = item.Standing;
        item.Change(state, words);
        if (item.Place == Claimed)
            return;
        Count(before, -1);
        Count(item.Standing, 1);
        Put(item);
    }

    /// <summary>Somebody works on it.</summary>
    public static bool IsClaimed(SpoolItem item) => item.Place == Claimed;

    /// <summary>True once when something became due earlier than the last claim was told.</summary>
    public bool TakeEarlier()
    {
        if (claimants.Count == 0 || FirstDue is not (< long.MaxValue and var due) || due >= toldNext)
            return false;
        toldNext = due;
        return true;
    }

    public Claimant Join(TimeSpan lease)
    {
        var claimant = new Claimant(lease);
        Renew(claimant);
        claimants.Add(claimant);
        // It asks by itself when it begins.
        toldNext = long.MinValue;
        return claimant;
    }

    /// <summary>Gives back all that a claimant has.</summary>
    public void Leave(Claimant claimant)
    {
        GiveBack(claimant);
        claimants.Remove(claimant);
    }

    /// <summary>False when the lease had ended.</summary>
    public bool Renew(Claimant claimant)
    {
        var (now, end) = (clock.GetTimestamp(), claimant.LeaseEnd);
        claimant.LeaseEnd = now + (long)(claimant.Lease.TotalSeconds * clock.TimestampFrequency);
        return now < end;
    }

    /// <summary>As <see cref="ISpoolClaims.ClaimDueAsync"/>.</summary>
    public SpoolClaim.Batch ClaimDue(Claimant claimant, DateTimeOffset now, int most, string? shelf)
    {
        foreach (var other in claimants)
        {
            if (other != claimant && clock.GetTimestamp() >= other.LeaseEnd)
                GiveBack(other);
        }

        var taken = new List<SpoolClaim>(Math.Min(most, shelf is null ? heaps[0].Count + heaps[1].Count : most));
        if (shelf is not null)
        {
            if (shelves.TryGetValue(shelf, out var waiting))
            {
                while (taken.Count < most && waiting.TryDequeue(out var item))
                {
                    if (item.Place == Shelved)
                        taken.Add(Take(claimant, item));
                }

                if (waiting.Count == 0)
                    shelves.Remove(shelf);
            }

            return new SpoolClaim.Batch(taken, Next: null);
        }

        while (taken.Count < most && FirstDue <= now.UtcTicks)
        {
            foreach (var heap in heaps)
            {
                if (taken.Count < most && heap.FirstDue <= now.UtcTicks)
                    taken.Add(Take(claimant, heap.First));
            }
        }

        var next = FirstDue;
        // Whoever took as many as it wanted comes again by itself.
        toldNext = taken.Count == most ? long.MinValue : next;
        return new SpoolClaim.Batch(taken, next < long.MaxValue ? new DateTimeOffset(next, TimeSpan.Zero) : null);
    }

    /// <summary>As <see cref="ISpoolClaims.ClaimAsync"/>, of a message that is there.</summary>
    public SpoolClaim? Reclaim(Claimant claimant, SpoolItem item)
    {
        if (!claims.TryGetValue(item.Id, out var claim))
            return Take(claimant, item);
        if (claim.Claimant != claimant)
            return null;
        claim.Fence = ++fences;
        return Show(claim);
    }

    /// <summary>As <see cref="ISpoolClaims.ClaimFreeAsync"/>, of a message that is there; null for one that is not free.</summary>
    public SpoolClaim? ClaimFree(Claimant claimant, SpoolItem item) =>
        item.Place == Claimed || item.Standing is { IsHeld: true } or { HasEnded: true } ? null : Take(claimant, item);

    /// <summary>Whether what a claimant says of a message counts.</summary>
    public SpoolClaim.Answer Check(Claimant claimant, SpoolClaim claim) =>
        claims.TryGetValue(claim.Id, out var current) && current.Claimant == claimant && current.Fence == claim.Fence
            ? SpoolClaim.Answer.Done
            : SpoolClaim.Answer.Stale;

    public bool IsOf(Claimant claimant, SpoolItem item) => claims.TryGetValue(item.Id, out var claim) && claim.Claimant == claimant;

    /// <summary>Somebody else has changed it: what its claimant does not know yet must not be written over.</summary>
    public void Outdate(SpoolItem item)
    {
        if (claims.TryGetValue(item.Id, out var claim))
            claim.Fence = ++fences;
    }

    public void Release(Claimant claimant, SpoolClaim claim, string? shelf)
    {
        if (!claims.TryGetValue(claim.Id, out var current) || current.Claimant != claimant)
            return;
        var item = current.Item;
        claims.Remove(item.Id);
        item.Place = Nowhere;
        var standing = item.Standing;
        Count(standing, 1);
        if (shelf is null || standing.IsHeld)
        {
            Put(item);
            return;
        }

        if (!shelves.TryGetValue(shelf, out var waiting))
            shelves[shelf] = waiting = new Queue<SpoolItem>();
        waiting.Enqueue(item);
        item.Place = Shelved;
        item.Rest(words);
    }

    /// <summary>What stands on a shelf is due as it was before.</summary>
    public void Clear(string shelf)
    {
        if (!shelves.Remove(shelf, out var waiting))
            return;
        foreach (var item in waiting)
        {
            if (item.Place == Shelved)
                Set(item, item.Due);
        }
    }

    /// <summary>False for what is held, claimed, or on a shelf, where it is due already.</summary>
    public bool Reschedule(SpoolItem item, DateTimeOffset due)
    {
        if (item.Place < 0 || item.Standing.IsHeld)
            return false;
        Set(item, due.UtcTicks);
        return true;
    }

    private SpoolClaim Take(Claimant claimant, SpoolItem item)
    {
        Lift(item);
        Count(item.Standing, -1);
        item.Place = Claimed;
        item.Wake();
        var claim = new Claim(item, claimant) { Fence = ++fences };
        claims.Add(item.Id, claim);
        return Show(claim);
    }

    private SpoolClaim Show(Claim claim) =>
        new(claim.Item.Entry!, claim.Fence, clock.GetUtcNow() + clock.GetElapsedTime(clock.GetTimestamp(), claim.Claimant.LeaseEnd));

    private void GiveBack(Claimant claimant)
    {
        foreach (var claim in claims.Values.Where(c => c.Claimant == claimant).ToList())
        {
            claims.Remove(claim.Item.Id);
            claim.Item.Place = Nowhere;
            Count(claim.Item.Standing, 1);
            Put(claim.Item);
        }
    }

    private void Count(in Standing standing, int change)
    {
        if (standing.IsHeld)
            held += change;
        else if (standing.IsTried)
            tried += change;
        if (standing is { IsHeld: true, IsByServer: true })
            heldByServer += change;
    }

    /// <summary>Where its state says that it belongs.</summary>
    private void Put(SpoolItem item)
    {
        var standing = item.Standing;
        if (standing is { IsHeld: true, IsByServer: false })
        {
            Lift(item);
            item.Place = Nowhere;
        }
        else
        {
            Set(item, standing.Next, standing.IsTried);
        }

        if (standing.IsHeld || standing.IsTried || heaps[0].Count > MostWhole || standing.Next > clock.GetUtcNow().UtcTicks)
            item.Rest(words);
    }

    private long FirstDue => Math.Min(heaps[0].FirstDue, heaps[1].FirstDue);

    private void Set(SpoolItem item, long due) => Set(item, due, item.Standing.IsTried);

    private void Set(SpoolItem item, long due, bool isTried)
    {
        var heap = heaps[isTried ? 1 : 0];
        if (item.Place >= 0 && heaps[DueHeap.NumberOf(item.Place, Heaps)] is var old && old != heap)
            Lift(item);
        item.Due = due;
        if (item.Place < 0)
            heap.Add(item);
        else
            heap.Changed(item);
    }

    /// <summary>Takes it out of the order, where it is there.</summary>
    private void Lift(SpoolItem item)
    {
        if (item.Place < 0)
            return;
        heaps[DueHeap.NumberOf(item.Place, Heaps)].Remove(item);
        item.Place = Nowhere;
    }

    /// <summary>Somebody who delivers; what it has claimed is its own as long as its lease lasts.</summary>
    internal sealed class Claimant(TimeSpan lease)
    {
        public TimeSpan Lease => lease;

        /// <summary>A timestamp of the clock.</summary>
        public long LeaseEnd { get; set; }
    }

    private sealed class Claim(SpoolItem item, Claimant claimant)
    {
        public SpoolItem Item => item;

        public Claimant Claimant => claimant;

        public long Fence { get; set; }
    }
}
