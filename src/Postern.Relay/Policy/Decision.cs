using System.Collections.Immutable;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Policy;

/// <summary>One decision with all that led to it.</summary>
/// <param name="Ref">What the client is told when it is refused; see <see cref="DecisionReference"/>.</param>
/// <param name="Stage">The stage that decided. A refusal at the sender stage never asks the recipient stage.</param>
/// <param name="Question">Without a recipient where MAIL was refused, or the message as a whole.</param>
/// <param name="Rule">The rule that decided, or <see cref="EndOfList"/>.</param>
/// <param name="Reply">The refusal; null when the decision is to permit.</param>
/// <param name="Chain">
/// Every rule asked, in order: those of client, helo and sender, then the recipient's; for a dry run the message's too.
/// </param>
public sealed record Decision(string Ref, DateTimeOffset At, RuleStage Stage, PolicyQuestion Question, string Rule, Reply? Reply, ImmutableArray<RuleStep> Chain)
{
    /// <summary>The name under which the end of a list decides; no rule is called so.</summary>
    public const string EndOfList = "end_of_list";

    /// <summary>The id of the configuration that decided; null where it has none.</summary>
    public string? Configuration { get; init; }

    public bool IsPermit => Reply is null;

    public EnvelopeFacts Facts => Question.Facts;

    public ReversePath Sender => Question.Sender;

    public Mailbox? Recipient => Question.Recipient;

    /// <summary>The same decision as the audit log keeps it. The null sender is the empty text there.</summary>
    /// <param name="cause">What the log has been asked; null where no client waits.</param>
    public DecisionEvent ToAuditEvent(AuditCause? cause = null) => new(
        At,
        new EventOrigin(Facts.Session, Facts.Listener, Facts.Client.ToString()) { Helo = Facts.Helo, User = Facts.Login, Tls = Facts.Tls },
        Ref,
        Stage.ToWord(),
        IsPermit ? DecisionOutcome.Permit : DecisionOutcome.Refuse,
        Rule,
        Sender.Address,
        Recipient?.Address) { Reply = Reply?.ToString(), Chain = Chain, Config = Configuration, Cause = cause };
}
