namespace Postern.Relay.Policy;

/// <summary>
/// One named rule of the relay policy. A rule keeps no state of its own, reads only the <see cref="RuleContext"/>, which has a clock and
/// counters, and lets <see cref="Accounts.DirectoryUnavailableException"/> and <see cref="IOException"/> through: what then counts is the
/// entry's <c>on_error</c>, 451 unless it says otherwise.
/// </summary>
internal interface IRelayRule
{
    /// <summary>The word in the configuration, in lower case with underscores; the word that Postfix uses where it has one.</summary>
    string Name { get; }

    /// <summary>
    /// What it says, and when, as a cell of the table in docs/rules.md: <c>permit</c>, <c>refuse (code)</c> or <c>pass</c>, a colon, and
    /// the
    /// fact.
    /// </summary>
    string Doc { get; }

    /// <summary>The stages at which the rule has what it needs.</summary>
    RuleStage Stages { get; }

    /// <summary>What the reference says above the rule's arguments; null where it takes none of its own.</summary>
    string? ArgumentsDoc => null;

    /// <summary>The argument that a single value behind the word is for: <c>word value</c>; null where there is none.</summary>
    string? Shorthand => null;

    /// <summary>The rule as one entry of a list has it. Called again with the same arguments, it makes the same rule.</summary>
    IRelayRule With(RuleStage stage, RuleArguments arguments) => this;

    ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct);
}
