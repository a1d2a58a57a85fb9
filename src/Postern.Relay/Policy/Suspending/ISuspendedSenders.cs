namespace Postern.Relay.Policy.Suspending;

/// <summary>Who sends nothing now. Safe from any thread.</summary>
internal interface ISuspendedSenders
{
    /// <summary>What a client falls under; of several the one that ends last. Null where it may send.</summary>
    /// <param name="except">Those that do not count; null for none.</param>
    Suspension? Find(EnvelopeFacts facts, DateTimeOffset now, IReadOnlySet<(SuspendedKind Of, string Name)>? except = null);
}

/// <summary>Where nobody is.</summary>
internal sealed class NobodySuspended : ISuspendedSenders
{
    public static NobodySuspended Instance { get; } = new();

    public Suspension? Find(EnvelopeFacts facts, DateTimeOffset now, IReadOnlySet<(SuspendedKind Of, string Name)>? except = null) => null;
}
