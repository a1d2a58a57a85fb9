using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Suspending;

namespace Postern.Relay.Admin.Senders;

/// <summary>Has somebody send nothing for a while, and lets them send again.</summary>
/// <param name="directory">All accounts, as the configuration says now.</param>
public sealed class SuspendCommands(SuspendedSenders suspended, Func<IDirectory> directory, IAuditLog audit, TimeProvider clock)
{
    /// <summary>All that are suspended now.</summary>
    public ImmutableArray<Suspension> List() => suspended.All;

    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public async ValueTask<SenderSuspension> SuspendAsync(
        SuspendedKind of, string name, string reason, TimeSpan time, Operator by, CancellationToken ct)
    {
        if (!of.TryName(name, out var canonical))
            return SenderSuspension.No(NoName(of, name));
        if (Suspension.WhyNotReason(reason) is { } unfit)
            return SenderSuspension.No(unfit);
        if (time <= TimeSpan.Zero || time > Suspension.Longest)
            return SenderSuspension.No("somebody is suspended for a while, at most 366 days; for good: postern account disable");
        var now = clock.GetUtcNow();
        var one = new Suspension(of, canonical, reason, now, now + time, by.Name);
        var before = suspended.Suspend(one);
        audit.Append(by.Did(
            now,
            "suspend",
            $"{of.Word()} {canonical}",
            new AdminChange("until", Text(before), Text(one)),
            new AdminChange("reason", before?.Reason, reason)));
        await audit.FlushAsync(ct);
        return new SenderSuspension(one, await DoubtAsync(one, ct), Problem: null);
    }

    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public async ValueTask<SenderSuspension> ResumeAsync(SuspendedKind of, string name, Operator by, CancellationToken ct)
    {
        if (!of.TryName(name, out var canonical))
            return SenderSuspension.No(NoName(of, name));
        if (suspended.Resume(of, canonical) is not { } before)
            return SenderSuspension.No($"the {of.Word()} {canonical} is not suspended");
        audit.Append(by.Did(
            clock.GetUtcNow(),
            "resume",
            $"{of.Word()} {canonical}",
            new AdminChange("until", Text(before), After: null),
            new AdminChange("reason", before.Reason, After: null)));
        await audit.FlushAsync(ct);
        return new SenderSuspension(before, Doubt: null, Problem: null);
    }

    private static string? Text(Suspension? one) => one?.Until.ToString("u", CultureInfo.InvariantCulture);

    private static string NoName(SuspendedKind of, string name) =>
        $"'{name}' is no name of {(of == SuspendedKind.Account ? "an" : "a")} {of.Word()}"
            + (of == SuspendedKind.Credential ? ": write ACCOUNT#NUMBER, as 'postern credential list ACCOUNT' has it" : string.Empty);

    /// <summary>A name that was written wrong suspends nobody: whoever did it must hear of it.</summary>
    private async ValueTask<string?> DoubtAsync(Suspension one, CancellationToken ct)
    {
        try
        {
            return one.Of switch
            {
                SuspendedKind.Account when await directory().FindAccountAsync(one.Name, ct) is null =>
                    $"no store knows an account called {one.Name}: if that is not what it is called, nobody is suspended",
                SuspendedKind.Credential when one.Name.Split('#') is [var owner, var id]
                    && await directory().FindCredentialAsync(owner, $"#{id}", ct) is null =>
                    $"there is no credential {one.Name}: if that is not what it is called, nothing is suspended",
                _ => null,
            };
        }
        catch (DirectoryUnavailableException e)
        {
            return $"whether there is such a name cannot be seen now: {e.Message}";
        }
    }
}

/// <summary>What became of it.</summary>
/// <param name="Suspension">What counts now, or did until now; null where nothing has changed.</param>
/// <param name="Doubt">Done, and maybe not what was meant.</param>
/// <param name="Problem">Why nothing has changed; null where something has.</param>
public sealed record SenderSuspension(Suspension? Suspension, string? Doubt, string? Problem)
{
    internal static SenderSuspension No(string why) => new(Suspension: null, Doubt: null, why);
}
