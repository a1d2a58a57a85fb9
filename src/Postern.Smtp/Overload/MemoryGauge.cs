namespace Postern.Smtp.Overload;

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
