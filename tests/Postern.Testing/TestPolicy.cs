using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Testing;

/// <summary>
/// Who logged in may send to all; <c>accepted.example</c> takes mail from all; <c>refused@…</c> is no sender; <c>full@…</c> is a recipient
/// that has to wait; <c>broken@…</c> makes the policy throw.
/// </summary>
public sealed class TestPolicy : IEnvelopePolicy
{
    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) =>
        new(sender.Mailbox?.LocalPart switch
        {
            "refused" => new Verdict.Refuse(new Reply(550, new(5, 7, 1), "Sender refused"), "test"),
            "broken" => throw new InvalidOperationException("a policy that breaks"),
            _ => Verdict.Pass.Instance,
        });

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct)
    {
        if (recipient.LocalPart == "full")
            return new(new Verdict.Refuse(new Reply(452, new(4, 2, 2), "Mailbox full"), "test"));
        if (session.IsLoggedIn || recipient.Domain.Text == "accepted.example")
            return new(new Verdict.Permit("test"));
        return new(session.OffersAuth || session.OffersAuthAfterTls ? new Verdict.Refuse(StandardReply.AuthenticationRequired, "test") : Verdict.Pass.Instance);
    }
}
