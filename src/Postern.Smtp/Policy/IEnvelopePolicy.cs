using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>
/// Decides what a session may put on an envelope. Asked once for each command, in order; never concurrently for one session. A
/// policy that cannot decide answers with a 4xx <see cref="Verdict.Refuse"/>: there is no "allow on error".
/// </summary>
public interface IEnvelopePolicy
{
    /// <summary>After a well-formed MAIL. <see cref="Verdict.Pass"/> lets the command through: recipients decide.</summary>
    ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct);

    /// <summary>
    /// After a well-formed RCPT; the sender is on <see cref="SessionState.Transaction"/>. Only <see cref="Verdict.Permit"/>
    /// accepts the recipient.
    /// </summary>
    ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct);
}

/// <summary>What a policy says to one question. The session treats anything but a permit as a refusal.</summary>
public abstract record Verdict
{
    private Verdict()
    {
    }

    /// <summary>Yes, because <paramref name="Rule"/> said so.</summary>
    public sealed record Permit(string Rule) : Verdict;

    /// <summary>No, with this reply, because <paramref name="Rule"/> said so.</summary>
    public sealed record Refuse(Reply Reply, string Rule) : Verdict;

    /// <summary>Nothing to say.</summary>
    public sealed record Pass : Verdict
    {
        private Pass()
        {
        }

        /// <summary>The only instance.</summary>
        public static Pass Instance { get; } = new();
    }
}
