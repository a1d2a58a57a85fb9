using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
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
public sealed record Decision(
    string Ref, DateTimeOffset At, RuleStage Stage, PolicyQuestion Question, string Rule, Reply? Reply, ImmutableArray<RuleStep> Chain)
{
    /// <summary>The name under which the end of a list decides; no rule is called so.</summary>
    public const string EndOfList = "end_of_list";

    /// <summary>
    /// What decides in the place of a rule where a recipient has the form of a forwarded sender's address (<see cref="Envelopes.Srs"/>) and
    /// is none.
    /// </summary>
    public const string RewrittenSender = "srs";

    /// <summary>
    /// What decides in the place of a rule where the credential of the login is limited to other senders
    /// (<see cref="Accounts.Credentials.CredentialLimits.Senders"/>): it holds whatever the lists say.
    /// </summary>
    public const string CredentialSenders = "credential_senders";

    /// <summary>
    /// What decides in the place of a rule where the account, credential or tenant is suspended
    /// (<see cref="Suspending.SuspendedSenders"/>): it holds whatever the lists say.
    /// </summary>
    public const string Suspended = "suspended";

    /// <summary>The id of the configuration that decided; null where it has none.</summary>
    public string? Configuration { get; init; }

    /// <summary>
    /// What the rules would do with the message, by their words (<c>hold</c>, <c>bcc a@example.org</c>); none where it is refused.
    /// </summary>
    public ImmutableArray<string> Effects { get; init; } = [];

    public bool IsPermit => Reply is null;

    public EnvelopeFacts Facts => Question.Facts;

    public ReversePath Sender => Question.Sender;

    public Mailbox? Recipient => Question.Recipient;

    /// <summary>The same decision as the audit log keeps it. The null sender is the empty text there.</summary>
    /// <param name="cause">What the log has been asked; null where no client waits.</param>
    public DecisionEvent ToAuditEvent(AuditCause? cause = null) => new(
        At,
        new EventOrigin(Facts.Session, Facts.Listener, Facts.Client.ToString())
        {
            Helo = Facts.Helo,
            User = Facts.Login,
            Tls = Facts.Tls,
            Tenant = Facts.Tenant,
            Port = Facts.Port,
        },
        Ref,
        Stage.ToWord(),
        IsPermit ? DecisionOutcome.Permit : DecisionOutcome.Refuse,
        Rule,
        Sender.Address,
        Recipient?.Address)
    {
        Reply = Reply?.ToString(),
        Chain = Chain,
        Config = Configuration,
        Credential = Facts.Credential,
        ProvenBy = Facts.ProvenBy == Facts.Login ? null : Facts.ProvenBy,
        Certificate = Facts.Certificate,
        Cause = cause,
    };
}

/// <summary>
/// The short name of a decision that a refused client is told: six letters and digits of Crockford's base 32, 30 random bits. Short
/// enough to be read out on the telephone, so two decisions of one day may share one: whoever looks one up shows all that match.
/// </summary>
public static class DecisionReference
{
    public const int Length = 6;

    /// <summary>The reference of a dry run. U is not a digit of base 32: no recorded decision can have it.</summary>
    public const string DryRun = "DRYRUN";

    private const string Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>
    /// Nothing is granted to whoever guesses a reference, so it need not cost a system call for each permitted recipient.
    /// </summary>
    public static string New() => string.Create(Length, Random.Shared.Next(1 << (5 * Length)), static (chars, value) =>
    {
        for (var i = 0; i < chars.Length; i++)
        {
            chars[i] = Digits[value & 31];
            value >>= 5;
        }
    });

    /// <summary>Reads a reference as a person writes it: either case, O for 0, I and L for 1.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out string? reference)
    {
        reference = text?.Trim().ToUpperInvariant().Replace('O', '0').Replace('I', '1').Replace('L', '1');
        if (reference is { Length: Length } && reference.All(static c => Digits.Contains(c, StringComparison.Ordinal)))
            return true;
        reference = null;
        return false;
    }
}
