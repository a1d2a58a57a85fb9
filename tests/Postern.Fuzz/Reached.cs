using System.Globalization;
using System.Runtime.InteropServices;

namespace Postern.Fuzz;

/// <summary>
/// How often each state was reached. A target that gets nowhere finds nothing and looks well: the seeds alone must reach what is
/// <paramref name="required"/>, or the run counts as a finding.
/// </summary>
internal sealed class Reached(params string[] required)
{
    private readonly Dictionary<string, long> counts = required.ToDictionary(static state => state, static _ => 0L);

    public void Note(string state) => CollectionsMarshal.GetValueRefOrAddDefault(counts, state, out _)++;

    public IEnumerable<string> Missing => counts.Where(static c => c.Value == 0).Select(static c => c.Key);

    public override string ToString() => string.Join(", ", counts.OrderByDescending(static c => c.Value).Select(static c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Value:N0}")));
}
