using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Policy.Own;

/// <summary>
/// A rule that an embedder writes as a class. It stands under its name in the lists of <see cref="PolicyOptions"/>, beside the rules that
/// ship, and in decisions, explanations and the log. One object answers for all sessions, many at a time.
/// </summary>
public interface IOwnRule
{
    /// <summary>Its word in the lists: lower-case letters, digits and _; the word of no other rule and of no list.</summary>
    string Name { get; }

    /// <summary>Where it can stand.</summary>
    RuleStage Stages => RelayRules.EveryStage;

    /// <summary>
    /// How long an answer is waited for. Later, and where it throws, the rule cannot say: then the entry's <c>on_error</c> counts, which is
    /// 451 unless it says otherwise. The call itself is left to come to its end.
    /// </summary>
    TimeSpan Timeout => TimeSpan.FromSeconds(2);

    /// <summary>
    /// What it says. Asked again for each sender, recipient and message; in a dry run too (<see cref="OwnQuestion.IsDryRun"/>), where it
    /// must not count or tell anything.
    /// </summary>
    ValueTask<OwnAnswer> AnswerAsync(OwnQuestion question, CancellationToken ct);
}

/// <summary>What an <see cref="IOwnRule"/> is asked.</summary>
/// <param name="Facts">What is known of the client and its login.</param>
/// <param name="Recipient">Null but at the recipient stage.</param>
/// <param name="Header">Null but at the message stage.</param>
/// <param name="IsDryRun">Somebody asks in advance: no message hangs on it.</param>
public sealed record OwnQuestion(
    RuleStage Stage, EnvelopeFacts Facts, ReversePath Sender, Mailbox? Recipient, HeaderFacts? Header, bool IsDryRun);

/// <summary>What an <see cref="IOwnRule"/> says. <see cref="Why"/> stands in the decision, for an operator.</summary>
public abstract record OwnAnswer
{
    private OwnAnswer(string why) => Why = why;

    /// <summary>What the rule saw; the client never sees it.</summary>
    public string Why { get; }

    /// <summary>The next rule decides.</summary>
    public sealed record Pass(string Why) : OwnAnswer(Why);

    /// <summary>Yes; the rules behind it are not asked at this stage. At the recipient stage it relays.</summary>
    public sealed record Permit(string Why) : OwnAnswer(Why);

    /// <summary>No.</summary>
    /// <param name="Code">From 400 to 599, but not 421.</param>
    /// <param name="Status">Of the same class.</param>
    /// <param name="Text">At most 160 characters of printable US-ASCII; the reference of the decision is put behind it.</param>
    public sealed record Refuse(int Code, EnhancedStatus Status, string Text, string Why) : OwnAnswer(Why);

    /// <summary>
    /// The next rule decides; a message that is accepted goes to this recipient, and to none of those whom the client named.
    /// </summary>
    public sealed record Redirect(Mailbox To, string Why) : OwnAnswer(Why);

    /// <summary>The next rule decides; a message that is accepted waits for an operator, who is shown the reason.</summary>
    public sealed record Hold(string Why) : OwnAnswer(Why);
}
