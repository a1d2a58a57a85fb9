using System.Collections.Frozen;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>A login permits every recipient; without one, only these domains.</summary>
internal sealed class LoginPolicy(IEnumerable<Domain> domains) : IEnvelopePolicy
{
    private static readonly ValueTask<Verdict> LoggedIn = new(new Verdict.Permit("logged_in"));
    private static readonly ValueTask<Verdict> Accepted = new(new Verdict.Permit("accepted_domain"));
    private static readonly ValueTask<Verdict> LoginHelps = new(new Verdict.Refuse(StandardReply.AuthenticationRequired, "logged_in"));
    private static readonly ValueTask<Verdict> Denied = new(new Verdict.Refuse(StandardReply.RelayDenied, "logged_in"));
    private static readonly ValueTask<Verdict> Pass = new(Verdict.Pass.Instance);

    private readonly FrozenSet<Domain> accepted = domains.ToFrozenSet();

    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) =>
        session.IsLoggedIn || accepted.Count > 0 ? Pass : RefuseAsync(session);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct) =>
        session.IsLoggedIn ? LoggedIn
        : accepted.Contains(recipient.Domain) ? Accepted
        : RefuseAsync(session);

    private static ValueTask<Verdict> RefuseAsync(SessionState session) =>
        session.OffersAuth || session.OffersAuthAfterTls ? LoginHelps : Denied;
}
