using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace EmbeddedSubmission;

/// <summary>Whoever has logged in may send to anybody; nobody else may send at all.</summary>
internal sealed class LoggedInOnly : IEnvelopePolicy
{
    private const string Rule = "logged_in_only";

    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) =>
        new(session.Identity is null ? new Verdict.Refuse(StandardReply.AuthenticationRequired, Rule) : Verdict.Pass.Instance);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct) => new(new Verdict.Permit(Rule));
}
