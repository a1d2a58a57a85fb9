namespace Postern.Relay.Delivery.Shaping;

/// <summary>So many in a time, evenly, and at most <paramref name="Burst"/> at once after a pause.</summary>
/// <param name="Count">Above nothing.</param>
/// <param name="Time">Above nothing.</param>
/// <param name="Burst">At least 1.</param>
public readonly record struct Rate(double Count, TimeSpan Time, double Burst)
{
    public double PerSecond => Count / Time.TotalSeconds;

    /// <summary>Where nothing is said of a burst it is what flows in a second, and at least one.</summary>
    public static Rate Of(double count, TimeSpan time) => new(count, time, Math.Max(1, count / time.TotalSeconds));
}
