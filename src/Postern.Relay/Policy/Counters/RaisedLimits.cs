using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Relay.Policy.Limits;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// Limits that operators have raised for a while, in a file of their own: a line for each. Used by one caller at a time.
/// </summary>
/// <param name="path">Null: they are kept nowhere.</param>
internal sealed class RaisedLimits(string? path)
{
    private readonly Dictionary<LimitName, RaisedLimit> raised = [];

    public bool IsEmpty => raised.Count == 0;

    /// <summary>Reads them; what does not read is not raised.</summary>
    /// <returns>What is wrong; null for nothing.</returns>
    public string? Read()
    {
        try
        {
            var broken = 0;
            foreach (var line in File.Exists(path) ? File.ReadAllLines(path, Encoding.Latin1) : [])
            {
                if (TryRead(line) is { } one)
                    raised[NameOf(one)] = one;
                else
                    broken++;
            }

            return broken == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{path}: {broken} lines do not read");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path}: {e.Message}";
        }
    }

    /// <summary>What counts now of a limit.</summary>
    public WindowLimit Of(in WindowClaim claim, DateTimeOffset now) =>
        raised.Count > 0 && raised.TryGetValue(new LimitName(claim.Of, claim.What, claim.Limit.Window), out var one) && one.Until > now
            ? one.Limit
            : claim.Limit;

    public ImmutableArray<RaisedLimit> All(DateTimeOffset now) => [.. raised.Values.Where(one => one.Until > now)];

    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public RaisedLimit? Raise(RaisedLimit one, DateTimeOffset now)
    {
        var before = raised.GetValueOrDefault(NameOf(one));
        Save([.. All(now).Where(other => NameOf(other) != NameOf(one)), one]);
        raised[NameOf(one)] = one;
        return before?.Until > now ? before : null;
    }

    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public ImmutableArray<RaisedLimit> Lower(LimitSubject of, LimitThing? what, DateTimeOffset now)
    {
        ImmutableArray<RaisedLimit> gone = [.. All(now).Where(one => one.Of == of && (what is null || one.What == what))];
        if (!gone.IsEmpty)
            Save([.. All(now).Except(gone)]);
        foreach (var one in gone)
            raised.Remove(NameOf(one));
        return gone;
    }

    private static LimitName NameOf(RaisedLimit one) => new(one.Of, one.What, one.Limit.Window);

    private void Save(ImmutableArray<RaisedLimit> all)
    {
        if (path is null)
            return;
        var text = new StringBuilder();
        foreach (var one in all)
            text.Append(
                CultureInfo.InvariantCulture,
                $"{one.Of.Scope.Word()} {one.What.Word()} {(long)one.Limit.Window.TotalSeconds} {Uri.EscapeDataString(one.Of.Name)} "
                    + $"{one.Limit.Count} {one.Until.UtcTicks}\n");
        try
        {
            LineFile.Save(path, isNew: true, to => to.Write(text));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static RaisedLimit? TryRead(string line) =>
        line.Split(' ') is [var scope, var what, var window, var whose, var count, var until]
            && LimitWords.TryScope(scope, out var of)
            && LimitWords.TryThing(what, out var thing)
            && long.TryParse(window, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds <= 31 * 86_400
            && long.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var most)
            && long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= DateTimeOffset.MaxValue.UtcTicks
            ? new RaisedLimit(
                new LimitSubject(of, Uri.UnescapeDataString(whose)),
                thing,
                new WindowLimit(most, TimeSpan.FromSeconds(seconds)),
                new DateTimeOffset(ticks, TimeSpan.Zero))
            : null;
}
