using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Admin;

/// <summary>Suspends destinations and resumes them.</summary>
/// <param name="change">Does it: for these domains, suspend or else resume; answers how many are different now.</param>
/// <param name="all">The domains that are suspended.</param>
public sealed class SuspensionCommands(
    Func<IReadOnlyCollection<Domain>, bool, ValueTask<int>> change, Func<ImmutableArray<string>> all, IAuditLog audit, TimeProvider clock)
{
    /// <param name="domains">What is no domain is left out.</param>
    /// <param name="suspends">Else resumes.</param>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public async ValueTask<SuspensionChange> ApplyAsync(
        IReadOnlyList<string> domains, bool suspends, Operator by, CancellationToken ct)
    {
        var wanted = domains.Select(static text => Domain.TryParse(text, out var domain) ? domain : null).OfType<Domain>().ToList();
        var changed = wanted.Count == 0 ? 0 : await change(wanted, suspends);
        if (changed > 0)
        {
            foreach (var domain in wanted)
                audit.Append(by.Did(
                    clock.GetUtcNow(),
                    suspends ? "queue suspend" : "queue resume",
                    domain.Text,
                    new AdminChange("suspended", suspends ? "false" : "true", suspends ? "true" : "false")));
            await audit.FlushAsync(ct);
        }

        return new SuspensionChange(changed, all());
    }
}

/// <param name="Changed">Domains that are now different.</param>
/// <param name="Suspended">All that are suspended now.</param>
public sealed record SuspensionChange(int Changed, ImmutableArray<string> Suspended);
