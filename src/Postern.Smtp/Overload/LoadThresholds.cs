namespace Postern.Smtp.Overload;

/// <summary>When the state changes. It gets heavier with the first reading that asks for it, lighter by one step after calm.</summary>
public sealed record LoadThresholds
{
    /// <summary>A gauge at this or above: at least <see cref="LoadState.Stressed"/>.</summary>
    public double Stressed { get; init; } = 0.8;

    /// <summary>A gauge at this or above: <see cref="LoadState.Full"/>.</summary>
    public double Full { get; init; } = 0.95;

    /// <summary>Every gauge below this: on the way from Stressed to Normal.</summary>
    public double NormalBelow { get; init; } = 0.6;

    /// <summary>Every gauge that can fill the server below this: on the way from Full to Stressed.</summary>
    public double StressedBelow { get; init; } = 0.8;

    /// <summary>How many readings in a row, one a second, have to be below before the state gets lighter.</summary>
    public int CalmReadings { get; init; } = 5;
}
