using Postern.Smtp.Overload;

namespace Postern.Smtp.Tests.Overload;

/// <summary>Reads what the test sets.</summary>
internal sealed class FakeGauge(string name, bool isStorage = false, LoadState heaviest = LoadState.Full) : IPressureGauge
{
    public string Name => name;

    public bool IsStorage => isStorage;

    public LoadState Heaviest => heaviest;

    public double Value { get; set; }

    /// <summary>When set, reading throws it.</summary>
    public Exception? Broken { get; set; }

    public int Readings { get; private set; }

    public double Read()
    {
        Readings++;
        return Broken is null ? Value : throw Broken;
    }
}
