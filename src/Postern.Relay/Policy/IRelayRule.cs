namespace Postern.Relay.Policy;

/// <summary>
/// One named rule of the relay policy. A rule keeps no state, reads only the <see cref="RuleContext"/>, and lets
/// <see cref="Accounts.DirectoryUnavailableException"/> through: the policy answers it with 451.
/// </summary>
internal interface IRelayRule
{
    /// <summary>The word in the configuration, in lower case with underscores; the word that Postfix uses where it has one.</summary>
    string Name { get; }

    /// <summary>The stages at which the rule has what it needs.</summary>
    RuleStage Stages { get; }

    ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct);
}
