namespace Postern.Smtp.Overload;

/// <summary>The load of a server as of its last reading.</summary>
/// <param name="Gauge">The gauge with the highest reading.</param>
/// <param name="Value">That reading, 0 to 1.</param>
/// <param name="TimesStressed">How often the server became Stressed from Normal since its start.</param>
/// <param name="TimesFull">How often it became Full.</param>
public sealed record LoadReport(LoadState State, string Gauge, double Value, int TimesStressed, int TimesFull);
