using System.Collections.Immutable;
using Postern.Relay.Policy.Limits;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// Counts of what was used within windows that slide: never more than the limit in any stretch of time as long as the window. An
/// implementation may be shared by several servers. Safe from any thread. Where it cannot be reached, <see cref="IOException"/>.
/// </summary>
public interface IWindowCounters
{
    /// <summary>Why counts are missing, for people; null while they are whole.</summary>
    string? Lost { get; }

    /// <summary>Asks whether all of it fits, and counts it, or nothing of it; no two callers get the same room.</summary>
    /// <param name="takes">False: nothing is counted, whatever the claims say.</param>
    ValueTask<WindowAnswer> AskAsync(ReadOnlyMemory<WindowClaim> claims, bool takes, CancellationToken ct);

    /// <summary>Counts what has happened already, over the limit too.</summary>
    ValueTask AddAsync(ReadOnlyMemory<WindowClaim> claims, CancellationToken ct);

    /// <summary>The session is over.</summary>
    void Release(string session);

    /// <summary>What is used now: of these, or of everything that was counted where there are none.</summary>
    ValueTask<ImmutableArray<WindowUse>> ListAsync(ImmutableArray<LimitSubject> of, CancellationToken ct);

    /// <summary>Another limit for somebody, until a time.</summary>
    /// <returns>What counted before.</returns>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    ValueTask<RaisedLimit?> RaiseAsync(RaisedLimit raised, CancellationToken ct);

    /// <summary>Ends what was raised, of one thing or of all.</summary>
    /// <returns>What was raised.</returns>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    ValueTask<ImmutableArray<RaisedLimit>> LowerAsync(LimitSubject of, LimitThing? what, CancellationToken ct);

    /// <summary>Limits that are raised now.</summary>
    ImmutableArray<RaisedLimit> Raised { get; }
}

/// <summary>Whose use is counted together.</summary>
/// <param name="Name">In canonical form.</param>
public readonly record struct LimitSubject(LimitScope Scope, string Name);

/// <summary>What somebody wants to use.</summary>
/// <param name="Cost">At least 1.</param>
public readonly record struct WindowClaim(LimitSubject Of, LimitThing What, WindowLimit Limit, long Cost)
{
    /// <summary>It is only to be seen that there is room for it; it is counted another time.</summary>
    public bool OnlyLooks { get; init; }

    /// <summary>From here on it is told.</summary>
    public long WarnAt { get; init; }

    /// <summary>Of what is counted once however often it comes: which one.</summary>
    public ulong Item { get; init; }

    /// <summary>Of what a session is counted for once; empty for nobody's.</summary>
    public string? Session { get; init; }
}

/// <summary>What became of a group of claims.</summary>
/// <param name="Refused">The place of the one that does not fit and has to wait longest; -1 where all fit.</param>
/// <param name="Used">Of that one, or of the first that is to be told.</param>
/// <param name="Limit">The same one's, as it counts now.</param>
/// <param name="Wait">Until it fits, longer than it is where that cannot be known; null where it never does.</param>
public readonly record struct WindowAnswer(int Refused, long Used, WindowLimit Limit, TimeSpan? Wait)
{
    public bool Fits => Refused < 0;

    /// <summary>The place of the first claim that has come to its soft limit; -1 where none has.</summary>
    public int Warned { get; init; }

    /// <summary>False where the counts are kept by a server that is not asked here; then everything fits.</summary>
    public bool IsKnown { get; init; }

    internal static WindowAnswer Unknown { get; } = new(-1, 0, default, TimeSpan.Zero) { Warned = -1 };
}

/// <summary>How much somebody has used.</summary>
/// <param name="FreesAt">When some of it is free again; null where that is not a matter of time.</param>
public readonly record struct WindowUse(LimitSubject Of, LimitThing What, TimeSpan Window, long Used, DateTimeOffset? FreesAt);

/// <summary>A limit that counts in the place of the configured one, for somebody, until a time.</summary>
public sealed record RaisedLimit(LimitSubject Of, LimitThing What, WindowLimit Limit, DateTimeOffset Until);

/// <summary>For a dry run without the server, which alone knows the counts.</summary>
internal sealed class UnknownWindows : IWindowCounters
{
    private UnknownWindows()
    {
    }

    public static UnknownWindows Instance { get; } = new();

    public string? Lost => null;

    public ImmutableArray<RaisedLimit> Raised => [];

    public ValueTask<WindowAnswer> AskAsync(ReadOnlyMemory<WindowClaim> claims, bool takes, CancellationToken ct) =>
        new(WindowAnswer.Unknown);

    public ValueTask AddAsync(ReadOnlyMemory<WindowClaim> claims, CancellationToken ct) => default;

    public void Release(string session)
    {
    }

    public ValueTask<ImmutableArray<WindowUse>> ListAsync(ImmutableArray<LimitSubject> of, CancellationToken ct) => new([]);

    public ValueTask<RaisedLimit?> RaiseAsync(RaisedLimit raised, CancellationToken ct) => default;

    public ValueTask<ImmutableArray<RaisedLimit>> LowerAsync(LimitSubject of, LimitThing? what, CancellationToken ct) => new([]);
}
