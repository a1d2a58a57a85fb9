using Postern.Smtp.Replies;

namespace Postern.Smtp.Overload;

/// <summary>
/// Reads the gauges once a second and holds the state that follows from them: heavier at once, lighter by one step after some calm
/// readings, so that it does not flutter. Any thread may ask for the state.
/// </summary>
/// <param name="changed">Told of each new state, with the gauge that brought it about and its reading.</param>
/// <param name="broke">Told once of each gauge that throws.</param>
internal sealed class LoadMonitor(
    IEnumerable<IPressureGauge> gauges,
    LoadThresholds thresholds,
    Action<LoadState, string, double> changed,
    Action<string, Exception> broke)
{
    private readonly Lock reading = new();
    private List<IPressureGauge> gauges = [.. gauges];
    private List<IPressureGauge> broken = [];
    private LoadThresholds thresholds = thresholds;
    private volatile LoadState state;
    private volatile Reply? refusal;
    private volatile LoadReport report = new(
        LoadState.Normal, gauges.FirstOrDefault()?.Name ?? string.Empty, Value: 0, TimesStressed: 0, TimesFull: 0);
    private volatile IReadOnlyList<(string Gauge, double Value)> readings = [];
    private int calm;

    public LoadState State => state;

    public LoadReport Report => report;

    /// <summary>Of each gauge, as of a second ago at most.</summary>
    public IReadOnlyList<(string Gauge, double Value)> Readings => readings;

    /// <summary>What MAIL is answered now; null while mail is taken.</summary>
    public Reply? Refusal => refusal;

    /// <summary>From the next reading on. The state stays what it is until then; a gauge that has thrown is not asked again.</summary>
    public void Apply(IEnumerable<IPressureGauge> asked, LoadThresholds bounds)
    {
        lock (reading)
        {
            List<IPressureGauge> all = [.. asked];
            broken = [.. broken.Where(all.Contains)];
            gauges = [.. all.Except(broken)];
            thresholds = bounds;
        }
    }

    /// <summary>One reading of every gauge. One that comes while another is under way does nothing.</summary>
    public void Sample()
    {
        if (!reading.TryEnter())
            return;
        try
        {
            Judge();
        }
        finally
        {
            reading.Exit();
        }
    }

    private void Judge()
    {
        var (wanted, isCalm) = (LoadState.Normal, true);
        (IPressureGauge? Gauge, double Value) highest = (null, -1);
        (IPressureGauge? Gauge, double Value) heaviest = (null, -1);
        var read = new List<(string Gauge, double Value)>(gauges.Count);
        for (var i = gauges.Count - 1; i >= 0; i--)
        {
            var gauge = gauges[i];
            if (Read(gauge) is not { } value)
                continue;
            read.Add((gauge.Name, value));
            if (value > highest.Value)
                highest = (gauge, value);
            var asked = Asked(gauge, value);
            if (asked > wanted || (asked == wanted && value > heaviest.Value))
                (wanted, heaviest) = (asked, (gauge, value));
            isCalm &= state == LoadState.Full
                ? gauge.Heaviest < LoadState.Full || value < thresholds.StressedBelow
                : value < thresholds.NormalBelow;
        }

        readings = read;
        calm = isCalm ? calm + 1 : 0;
        report = report with { Gauge = highest.Gauge?.Name ?? string.Empty, Value = Math.Max(highest.Value, 0) };
        if (wanted > state)
            Switch(wanted, heaviest.Gauge!, heaviest.Value);
        else if (state > LoadState.Normal && calm >= thresholds.CalmReadings)
            Switch(state - 1, highest.Gauge, report.Value);
    }

    private LoadState Asked(IPressureGauge gauge, double value) =>
        value >= thresholds.Full && gauge.Heaviest == LoadState.Full ? LoadState.Full
        : value >= thresholds.Stressed && gauge.Heaviest > LoadState.Normal ? LoadState.Stressed
        : LoadState.Normal;

    private void Switch(LoadState next, IPressureGauge? cause, double value)
    {
        calm = 0;
        report = report with
        {
            State = next,
            TimesStressed = report.TimesStressed + (state == LoadState.Normal ? 1 : 0),
            TimesFull = report.TimesFull + (next == LoadState.Full ? 1 : 0),
        };
        refusal = next == LoadState.Full ? cause is { IsStorage: true } ? StandardReply.NoStorage : StandardReply.Busy : null;
        state = next;
        changed(next, cause?.Name ?? string.Empty, value);
    }

    private double? Read(IPressureGauge gauge)
    {
        try
        {
            return gauge.Read() is var value && !double.IsNaN(value) ? Math.Clamp(value, 0, 1) : 0;
        }
        catch (Exception e)
        {
            // It is foreign code on the server's clock: what is broken about it must not end the process, nor fill the log.
            gauges.Remove(gauge);
            broken.Add(gauge);
            broke(gauge.Name, e);
            return null;
        }
    }
}
