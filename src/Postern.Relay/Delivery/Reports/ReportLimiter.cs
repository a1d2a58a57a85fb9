namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// Bounds how many reports leave by themselves: for each address and in all, as buckets that refill over an hour. What comes above is
/// gathered, so that nobody can be buried in reports, whoever provokes them. May be called from any thread.
/// </summary>
internal sealed class ReportLimiter(int toAddress, int toAll, TimeProvider clock)
{
    /// <summary>Addresses remembered; beyond them only the bound for all counts.</summary>
    private const int MostAddresses = 10_000;

    private static readonly TimeSpan Refill = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Bucket> addresses = new(StringComparer.Ordinal);
    private int perAddress = toAddress;
    private int inAll = toAll;
    private Bucket all = new(toAll, clock.GetTimestamp());

    /// <summary>Takes new bounds; what was counted so far counts.</summary>
    public void Apply(int changedToAddress, int changedToAll)
    {
        lock (gate)
            (perAddress, inAll) = (changedToAddress, changedToAll);
    }

    /// <param name="address">In canonical form.</param>
    /// <param name="countsInAll">The bound for all reports is asked, and counts this one.</param>
    public bool TryTake(string address, bool countsInAll)
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            var known = addresses.TryGetValue(address, out var own);
            if (!known)
                own = new Bucket(perAddress, now);
            own = Filled(own, perAddress, now);
            all = Filled(all, inAll, now);
            var isAllowed = own.Tokens >= 1 && (!countsInAll || all.Tokens >= 1);
            if (isAllowed)
            {
                own = own with { Tokens = own.Tokens - 1 };
                if (countsInAll)
                    all = all with { Tokens = all.Tokens - 1 };
            }

            if (known || HasRoom(now))
                addresses[address] = own;
            return isAllowed;
        }
    }

    /// <summary>Undoes <see cref="TryTake"/> for a report that was not made.</summary>
    public void GiveBack(string address, bool countsInAll)
    {
        lock (gate)
        {
            if (addresses.TryGetValue(address, out var own))
                addresses[address] = own with { Tokens = own.Tokens + 1 };
            if (countsInAll)
                all = all with { Tokens = all.Tokens + 1 };
        }
    }

    /// <summary>Forgets the addresses whose buckets are full again when there is no room: they are as good as new.</summary>
    private bool HasRoom(long now)
    {
        if (addresses.Count < MostAddresses)
            return true;
        foreach (var (address, bucket) in addresses)
        {
            if (Filled(bucket, perAddress, now).Tokens >= perAddress)
                addresses.Remove(address);
        }

        return addresses.Count < MostAddresses;
    }

    private Bucket Filled(Bucket bucket, int size, long now) =>
        new(Math.Min(size, bucket.Tokens + (size * (clock.GetElapsedTime(bucket.At, now) / Refill))), now);

    private readonly record struct Bucket(double Tokens, long At);
}
