namespace Postern.Smtp.Overload;

/// <summary>How much a server takes on, by what it measures of itself. Ordered: each state is heavier than the one before it.</summary>
public enum LoadState
{
    /// <summary>All is as the options say.</summary>
    Normal,

    /// <summary>Shorter waits and fewer errors for every client, shorter still for those that did not log in; all mail is taken.</summary>
    Stressed,

    /// <summary>New connections are answered 421, MAIL on open ones with 421 or 452; what has begun may finish.</summary>
    Full,
}

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

/// <summary>The load of a server as of its last reading.</summary>
/// <param name="Gauge">The gauge with the highest reading.</param>
/// <param name="Value">That reading, 0 to 1.</param>
/// <param name="TimesStressed">How often the server became Stressed from Normal since its start.</param>
/// <param name="TimesFull">How often it became Full.</param>
public sealed record LoadReport(LoadState State, string Gauge, double Value, int TimesStressed, int TimesFull);
