using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Limits;

namespace Postern.Relay.Admin.Limits;

/// <summary>What an operator may see and change of the limits of a running server.</summary>
/// <param name="table">What the configuration says now.</param>
public sealed class LimitCommands(IWindowCounters windows, Func<LimitTable> table, IAuditLog audit, TimeProvider clock)
{
    /// <summary>The longest that something can be raised for.</summary>
    public static TimeSpan MostRaised { get; } = TimeSpan.FromDays(31);

    /// <summary>Why counts are missing; null while they are whole.</summary>
    public string? Lost => windows.Lost;

    /// <summary>How many limits somebody has come near to, and how many are used up.</summary>
    public async ValueTask<(int Near, int Over)> CountAsync(CancellationToken ct)
    {
        var all = await ListAsync(name: null, ct);
        return (all.Count(static one => one.State == LimitStanding.Near), all.Count(static one => one.State == LimitStanding.Over));
    }

    /// <summary>What is used, the fullest first.</summary>
    /// <param name="name">All limits of whoever has this name, used or not; null for everybody, who has used something.</param>
    public async ValueTask<ImmutableArray<LimitUse>> ListAsync(string? name, CancellationToken ct)
    {
        var configured = table();
        var wanted = name is null ? [] : Named(configured, name);
        if (name is not null && wanted.IsEmpty)
            return [];
        var used = await windows.ListAsync(wanted, ct);
        var raised = windows.Raised;
        var found = ImmutableArray.CreateBuilder<LimitUse>();
        foreach (var subject in name is null ? used.Select(static one => one.Of).Distinct() : wanted)
        {
            var scope = configured.Of(subject.Scope);
            foreach (var (what, limit) in scope?.For(subject.Name) ?? [])
            {
                var use = used.FirstOrDefault(one => one.Of == subject && one.What == what && one.Window == limit.Window);
                var up = raised.FirstOrDefault(one => one.Of == subject && one.What == what && one.Limit.Window == limit.Window);
                if (name is null && use.Used == 0)
                    continue;
                found.Add(UseOf(subject, what, up?.Limit ?? limit, use, scope!, up?.Until));
            }
        }

        return
        [
            .. found.OrderByDescending(static one => (double)one.Used / one.Most).ThenBy(static one => one.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>Another limit for somebody, for a while; it need not be higher.</summary>
    /// <param name="of">The word of a scope; null: the one that has such a limit, where it is one.</param>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public async ValueTask<LimitChange> RaiseAsync(
        string name, string? of, LimitThing what, WindowLimit limit, TimeSpan time, Operator by, CancellationToken ct)
    {
        if (time <= TimeSpan.Zero || time > MostRaised)
            return LimitChange.No("a limit is raised for a while: at most 31 days; for longer, write it into postern.yaml");
        var (subject, why) = Find(name, of, (one, scope) => scope.For(one.Name).Any(has => has.What == what));
        if (subject is not { } found)
            return LimitChange.No(why!);
        var all = table().Of(found.Scope)!.For(found.Name);
        if (!all.Any(has => has.What == what && has.Limit.Window == limit.Window))
            return LimitChange.No(
                $"{found.Name} has no limit of {what.Word()} within {WindowLimit.Time(limit.Window)}: "
                    + string.Join(", ", all.Where(has => has.What == what).Select(has => has.Limit.ToString(what))));
        var configured = all.First(has => has.What == what && has.Limit.Window == limit.Window).Limit;
        var until = clock.GetUtcNow() + time;
        var before = await windows.RaiseAsync(new RaisedLimit(found, what, limit, until), ct);
        audit.Append(by.Did(
            clock.GetUtcNow(),
            "limits raise",
            $"{found.Scope.Word()} {found.Name}",
            new AdminChange(what.Word(), (before?.Limit ?? configured).ToString(what), limit.ToString(what)),
            new AdminChange("until", Text(before?.Until), Text(until))));
        return new LimitChange(found.Scope.Word(), found.Name, [what.Word()], limit.ToString(what), until, Problem: null);
    }

    /// <summary>Ends what was raised.</summary>
    /// <param name="what">Null: all things.</param>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public async ValueTask<LimitChange> UndoAsync(string name, string? of, LimitThing? what, Operator by, CancellationToken ct)
    {
        var raised = windows.Raised;
        var (subject, why) = Find(name, of, (one, _) => raised.Any(r => r.Of == one && (what is null || r.What == what)));
        if (subject is not { } found)
            return LimitChange.No(why!);
        var gone = await windows.LowerAsync(found, what, ct);
        foreach (var one in gone)
            audit.Append(by.Did(
                clock.GetUtcNow(),
                "limits undo",
                $"{found.Scope.Word()} {found.Name}",
                new AdminChange(one.What.Word(), one.Limit.ToString(one.What), After: null)));
        return new LimitChange(found.Scope.Word(), found.Name, [.. gone.Select(static one => one.What.Word())], null, null, Problem: null);
    }

    private static string? Text(DateTimeOffset? at) => at?.ToString("u", CultureInfo.InvariantCulture);

    private static LimitUse UseOf(
        LimitSubject subject, LimitThing what, WindowLimit limit, WindowUse use, ScopeLimits scope, DateTimeOffset? raisedUntil) =>
        new(
            subject.Scope.Word(),
            subject.Name,
            what.Word(),
            use.Used,
            limit.Count,
            (long)limit.Window.TotalSeconds,
            limit.ToString(what),
            use.Used >= limit.Count ? LimitStanding.Over
                : use.Used * 100 >= limit.Count * scope.WarnAt ? LimitStanding.Near
                : LimitStanding.Calm,
            use.FreesAt,
            raisedUntil);

    /// <summary>Whoever can have this name and falls under a limit.</summary>
    private static ImmutableArray<LimitSubject> Named(LimitTable table, string name)
    {
        var found = ImmutableArray.CreateBuilder<LimitSubject>();
        foreach (var scope in table.Scopes)
        {
            if (scope.Scope.TryName(name, out var canonical))
                found.Add(new LimitSubject(scope.Scope, canonical));
        }

        return found.ToImmutable();
    }

    private (LimitSubject? Of, string? Why) Find(string name, string? of, Func<LimitSubject, ScopeLimits, bool> fits)
    {
        var configured = table();
        var named = Named(configured, name).Where(one => of is null || one.Scope.Word() == of).ToList();
        var found = named.Where(one => fits(one, configured.Of(one.Scope)!)).ToList();
        return found switch
        {
            [var only] => (only, null),
            [] => (null, named.Count == 0
                ? $"nobody called '{name}' has limits{(of is null ? string.Empty : $" in {of}")}: see limits in postern.yaml"
                : $"'{name}' has no such limit, or it is not raised: postern limits {name}"),
            _ => (null, $"'{name}' may be one of {string.Join(", ", found.Select(static one => one.Scope.Word()))}: say --of which"),
        };
    }
}

/// <summary>One limit of somebody, and how it stands.</summary>
/// <param name="Of">A word such as <c>logins</c>.</param>
/// <param name="What">A word such as <c>messages</c>.</param>
/// <param name="Most">What counts now, raised or not.</param>
/// <param name="Window">In seconds; 0 for so many at once.</param>
/// <param name="Limit">The same for people: <c>500/1h</c>.</param>
/// <param name="FreesAt">When some of what is used is free again; null where nothing is, and where it is no matter of time.</param>
/// <param name="RaisedUntil">Null where the configuration counts.</param>
public sealed record LimitUse(
    string Of,
    string Name,
    string What,
    long Used,
    long Most,
    long Window,
    string Limit,
    LimitStanding State,
    DateTimeOffset? FreesAt,
    DateTimeOffset? RaisedUntil);

/// <summary>How much of a limit is used.</summary>
public enum LimitStanding
{
    /// <summary>Less than the soft limit.</summary>
    Calm,

    /// <summary>The soft limit is reached.</summary>
    Near,

    /// <summary>All of it is used.</summary>
    Over,
}

/// <summary>What became of a change of limits.</summary>
/// <param name="What">The things that are different now.</param>
/// <param name="Problem">Why nothing has changed; null where something has.</param>
public sealed record LimitChange(
    string Of, string Name, ImmutableArray<string> What, string? Limit, DateTimeOffset? Until, string? Problem)
{
    internal static LimitChange No(string why) => new(string.Empty, string.Empty, [], Limit: null, Until: null, why);
}
