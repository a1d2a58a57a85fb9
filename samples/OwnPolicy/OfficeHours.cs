using Postern.Relay.Policy;
using Postern.Relay.Policy.Own;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Samples;

/// <summary>A policy as a class: what is new waits, what is for the archive goes there, and one address takes nothing.</summary>
public sealed class OfficeHours : IOwnRule
{
    private static readonly Mailbox Archive = Mailbox.Parse("archive@example.net");

    /// <summary>Its word in the lists of rules, in the log and in <c>explain</c>.</summary>
    public string Name => "office_hours";

    /// <summary>Later than that it cannot say: 451, and nobody is let in.</summary>
    public TimeSpan Timeout => TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public ValueTask<OwnAnswer> AnswerAsync(OwnQuestion question, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(question);
        return new((question.Stage, question.Recipient?.Address) switch
        {
            (RuleStage.Sender, _) when question.Sender.Address == "new@example.org" =>
                new OwnAnswer.Hold("the first mail of a new customer"),
            (RuleStage.Recipient, "closed@example.net") =>
                new OwnAnswer.Refuse(550, new EnhancedStatus(5, 7, 1), "That office is closed", "it is Sunday there"),
            (RuleStage.Recipient, "files@example.net") => new OwnAnswer.Redirect(Archive, "all of it is for the archive"),
            (RuleStage.Recipient, "bug@example.net") => throw new InvalidOperationException("what a program does when it has a bug"),
            _ => new OwnAnswer.Pass("nothing to say"),
        });
    }
}
