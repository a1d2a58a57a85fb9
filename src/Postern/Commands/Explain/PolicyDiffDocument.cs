using System.Collections.Immutable;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Relay.Audit;

namespace Postern.Commands.Explain;

/// <summary>What <c>postern policy diff --json</c> prints. Everything is counted with the repeats that the log only counted.</summary>
/// <param name="Decisions">In the log since <paramref name="Since"/>.</param>
/// <param name="Replayed">Decided again by both.</param>
/// <param name="Otherwise">
/// Of those, how many the old configuration decides otherwise than they were decided: accounts, tables or rules have changed since.
/// </param>
internal sealed record PolicyDiffDocument(
    PolicyDiffDocument.Side Old,
    PolicyDiffDocument.Side New,
    DateTimeOffset Since,
    long Decisions,
    long Replayed,
    long Otherwise,
    ImmutableArray<PolicyDiffDocument.Change> Changes,
    ImmutableArray<PolicyDiffDocument.Unknown> NotReplayed)
{
    private const int Indent = 2;

    /// <summary>The same for people.</summary>
    public void WriteTo(Terminal terminal)
    {
        terminal.Prose(
            PrintableText.Of(string.Create(
                CultureInfo.InvariantCulture,
                $"{Decisions} decisions since {Since.UtcDateTime:yyyy-MM-dd HH:mm} UTC, {Replayed} decided again by {Old.Source} "
                    + $"({Old.Id}) and {New.Source} ({New.Id}), with accounts, networks and tables as they are now")),
            Indent);
        if (Otherwise > 0)
            terminal.Prose(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Otherwise} of them come out otherwise than they did, by the old one too: accounts, tables or rules have changed"),
                Indent);
        var changed = new TablePage("count", "was", "would be", "example", "of");
        foreach (var one in Changes)
            changed.Row(
                one.Count.ToString(CultureInfo.InvariantCulture),
                one.Was,
                one.WouldBe,
                one.Ref,
                $"{one.User ?? one.Client}, {(one.Sender.Length == 0 ? "<>" : one.Sender)}"
                    + (one.Recipient is { } to ? $" to {to}" : string.Empty));
        changed.WriteTo(terminal, ifEmpty: Replayed == 0 ? "nothing could be compared" : "nothing would be decided otherwise");
        if (NotReplayed.IsEmpty)
            return;
        terminal.Line();
        var unknown = new TablePage("count", "not decided again, for", "example");
        foreach (var one in NotReplayed)
            unknown.Row(one.Count.ToString(CultureInfo.InvariantCulture), one.Why, one.Ref ?? "-");
        unknown.WriteTo(terminal);
    }

    /// <summary>A configuration.</summary>
    /// <param name="Source">Its file.</param>
    internal sealed record Side(string Source, string Id);

    /// <summary>Decisions that would come out differently, alike in what they were and would be; one of them as an example.</summary>
    internal sealed record Change(
        long Count, string Was, string WouldBe, string Ref, string Client, string? User, string Sender, string? Recipient);

    /// <summary>Decisions that cannot be decided again.</summary>
    /// <param name="Ref">Of one of them; null where none is known.</param>
    internal sealed record Unknown(long Count, string Why, string? Ref);
}
