namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Which addresses keep step with several messages on their way at a time: found out once, by whoever is first; the others go one after
/// another meanwhile. One that loses step is sent neither groups nor envelopes ahead for an hour. May be called from any thread.
/// </summary>
internal sealed class GroupTrust(TimeProvider clock)
{
    /// <summary>Addresses of which that is known; beyond that it is found out anew.</summary>
    private const int Most = 10_000;

    private static readonly TimeSpan KnownFor = TimeSpan.FromDays(1);
    private static readonly TimeSpan UnfitFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan TryingFor = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<string, (Word Word, long Since)> known = new(StringComparer.Ordinal);
    private volatile bool isAnyUnfit;

    private enum Word
    {
        BeingTried,
        Fit,
        Unfit,
    }

    /// <summary>Told when an address loses step.</summary>
    public Action<string, string>? Tell { private get; set; }

    /// <summary>Whether a group may be made there; null where that is to be found out, and nobody is about to.</summary>
    /// <param name="remote">Host, address and port.</param>
    public bool? IsFit(string remote)
    {
        lock (gate)
        {
            if (!known.TryGetValue(remote, out var entry)
                || clock.GetElapsedTime(entry.Since) >= (entry.Word switch
                {
                    Word.Fit => KnownFor,
                    Word.Unfit => UnfitFor,
                    _ => TryingFor,
                }))
                return null;
            return entry.Word == Word.Fit;
        }
    }

    /// <summary>It has lost step, so that nothing is sent ahead there either.</summary>
    public bool HasLostStep(string remote)
    {
        if (!isAnyUnfit)
            return false;
        lock (gate)
            return known.TryGetValue(remote, out var entry) && entry.Word == Word.Unfit && clock.GetElapsedTime(entry.Since) < UnfitFor;
    }

    /// <summary>The caller finds it out; false where another does, or it is known.</summary>
    public bool Begin(string remote)
    {
        lock (gate)
        {
            if (IsFit(remote) is not null)
                return false;
            Set(remote, Word.BeingTried);
            return true;
        }
    }

    public void Prove(string remote)
    {
        lock (gate)
            Set(remote, Word.Fit);
    }

    /// <param name="why">What it did, for people.</param>
    public void Fail(string remote, string why)
    {
        lock (gate)
        {
            Set(remote, Word.Unfit);
            isAnyUnfit = true;
        }

        Tell?.Invoke("one_at_a_time", $"{remote} gets one message after another on a connection for an hour: {why}");
    }

    private void Set(string remote, Word word)
    {
        if (known.Count >= Most)
            known.Clear();
        known[remote] = (word, clock.GetTimestamp());
    }
}
