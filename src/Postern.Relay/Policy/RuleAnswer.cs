using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Explaining;

namespace Postern.Relay.Policy;

/// <summary>What one rule says. The first answer of a list that is not <see cref="Pass"/> wins.</summary>
/// <param name="Saw">What the rule looked at and found, for an operator to read.</param>
/// <param name="Remedy">Asked for only when the decision is a refusal; null where nothing is known that would do.</param>
internal abstract record RuleAnswer(string Saw, Remedy? Remedy)
{
    /// <summary>The word in <see cref="Audit.Events.RuleStep.Said"/>.</summary>
    public abstract string Said { get; }

    /// <summary>What the rule had to know and did not, so that the answer is none; null where it is one.</summary>
    public Lack? Lacks { get; init; }

    /// <summary>
    /// What else happens where the answer counts: not in a dry run, and not on trial. It may happen again at each recipient. Null for
    /// nothing.
    /// </summary>
    public Action? Act { get; init; }

    /// <summary>Yes; later rules of the stage are not asked.</summary>
    public sealed record Permit(string Saw) : RuleAnswer(Saw, Remedy: null)
    {
        public override string Said => "permit";
    }

    /// <summary>No, with this reply.</summary>
    public sealed record Refuse(Refusal Refusal, string Saw, Remedy? Remedy = null) : RuleAnswer(Saw, Remedy)
    {
        public override string Said => "refuse";

        /// <summary>What is used up; null where no count refused.</summary>
        public UsedUp? Limit { get; init; }

        /// <summary>
        /// What <see cref="RuleAnswer.Remedy"/> says, as a change that can be tried; null where that is not to be done by one change.
        /// </summary>
        public Mend? Mend { get; init; }
    }

    /// <summary>The next rule decides.</summary>
    public sealed record Pass(string Saw, Remedy? Remedy = null) : RuleAnswer(Saw, Remedy)
    {
        public override string Said => "pass";

        /// <summary>Null where nothing is to be counted.</summary>
        public Charge? Charge { get; init; }

        /// <summary>Null where nothing is to be done with the message.</summary>
        public MessageEffect? Effect { get; init; }

        /// <summary>Null where it does not matter to this rule what the next ones decide.</summary>
        public Deferral? Deferral { get; init; }

        /// <summary>On trial it would have done more than to pass.</summary>
        public bool Acts => Effect is not null || Deferral is not null || Act is not null;
    }

    /// <summary>It cannot see what it needs: the entry's <c>on_error</c> takes its place.</summary>
    public sealed record CannotSay(string Saw, Remedy? Remedy = null) : RuleAnswer(Saw, Remedy)
    {
        public override string Said => "cannot say";
    }

    /// <summary>The list of this name is asked in the place of the rule; where that passes, the next rule decides.</summary>
    public sealed record Ask(string List, string Saw) : RuleAnswer(Saw, Remedy: null)
    {
        public override string Said => "ask";
    }

    /// <summary>What a rule on trial would have said; the next rule decides.</summary>
    public sealed record Would(string Word, string Saw) : RuleAnswer(Saw, Remedy: null)
    {
        public override string Said => Word;

        public static Would Of(RuleAnswer answer) => answer is Refuse { Refusal: var refusal }
            ? new Would("would refuse", string.Create(CultureInfo.InvariantCulture, $"{refusal.Code} {refusal.Status}: {answer.Saw}"))
            : new Would("would permit", answer.Saw);
    }
}

/// <summary>What a rule that passes wants counted, once its list has let the question through; a dry run counts nothing.</summary>
/// <param name="Over">The rule's answer where others have used it up in the meantime.</param>
internal sealed record Charge(CounterKey Key, RateLimit Limit, int Cost, Func<CounterLevel, RuleAnswer.Refuse> Over);

/// <summary>
/// A refusal for now that depends on what the rules behind it decide (Postfix's <c>defer_if_permit</c> and <c>defer_if_reject</c>).
/// </summary>
/// <param name="OfRefusal">It takes the place of a later refusal for good; else of a permit, of this stage or a later one.</param>
internal sealed record Deferral(Refusal Refusal, bool OfRefusal);

/// <summary>A count that refuses, and how it stands.</summary>
internal sealed record UsedUp(CounterKey Key, RateLimit Limit, CounterLevel Level);

/// <summary>What would make the policy say permit, as a command to paste or a line to write. It may look things up.</summary>
internal delegate ValueTask<string> Remedy(RuleContext context, CancellationToken ct);
