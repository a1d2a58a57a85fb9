using System.Collections.Immutable;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Policy;

/// <summary>One decision with all that led to it.</summary>
/// <param name="Ref">What the client is told when it is refused; see <see cref="DecisionReference"/>.</param>
/// <param name="Stage">The stage that decided. A refusal at the sender stage never asks the recipient stage.</param>
/// <param name="Recipient">Null when a sender was refused at MAIL.</param>
/// <param name="Rule">The rule that decided, or <see cref="EndOfList"/>.</param>
/// <param name="Reply">The refusal; null when the decision is to permit.</param>
/// <param name="Chain">Every rule asked, in order: the sender stage's, then the recipient stage's.</param>
public sealed record Decision(
    string Ref, DateTimeOffset At, RuleStage Stage, EnvelopeFacts Facts, ReversePath Sender, Mailbox? Recipient, string Rule, Reply? Reply, ImmutableArray<RuleStep> Chain)
{
    /// <summary>The name under which the end of a list decides; no rule is called so.</summary>
    public const string EndOfList = "end_of_list";

    public bool IsPermit => Reply is null;

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
        Recipient?.Address) { Reply = Reply?.ToString(), Chain = Chain, Cause = cause };
}
