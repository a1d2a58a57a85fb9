namespace Postern.Smtp.Overload;

/// <summary>
/// One thing that a server can run short of, read once a second: return at once. A gauge that throws is told once and not asked again.
/// </summary>
public interface IPressureGauge
{
    /// <summary>The word for it in events and in <c>status</c>.</summary>
    string Name { get; }

    /// <summary>What is short is room to keep messages: then MAIL is answered 452 4.3.1 and the session goes on, instead of 421.</summary>
    bool IsStorage => false;

    /// <summary>
    /// The heaviest state that this alone may bring about. <see cref="LoadState.Stressed"/> where turning mail away would not help, or
    /// where another part turns away already.
    /// </summary>
    LoadState Heaviest => LoadState.Full;

    /// <summary>0: idle; 1: there is no more. What lies outside counts as the nearer end.</summary>
    double Read();
}

/// <summary>
/// Resident memory of the process against what it may have: the given limit, or what the runtime found: a hard limit of the heap,
/// that of the control group, or the machine's.
/// </summary>
/// <param name="limit">Octets; null for what the runtime found.</param>
internal sealed class MemoryGauge(long? limit) : IPressureGauge
{
    private readonly long limit = limit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    public string Name => "memory";

    public bool IsStorage => true;

    public double Read() => (double)Environment.WorkingSet / limit;
}
