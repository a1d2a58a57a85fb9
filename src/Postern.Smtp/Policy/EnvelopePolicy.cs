using System.Collections.Frozen;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>Ready-made policies. None of them relays for a client that has not logged in.</summary>
public static class EnvelopePolicy
{
    /// <summary>Whoever has logged in may send to anybody; nobody else may send at all (530 where a login would help, else 550).</summary>
    public static IEnvelopePolicy LoggedInOnly { get; } = new LoginPolicy([]);

    /// <summary>Anybody may send to recipients in these domains; whoever has logged in may send to anybody.</summary>
    /// <param name="domains">Compared without regard to case; subdomains are not included.</param>
    /// <exception cref="FormatException">One of them is not a domain.</exception>
    public static IEnvelopePolicy AcceptFor(params IEnumerable<string> domains) => new LoginPolicy([.. domains.Select(Domain.Parse)]);

    /// <summary>A policy made of functions.</summary>
    /// <param name="recipient">As <see cref="IEnvelopePolicy.OnRecipientAsync"/>; only a <see cref="Verdict.Permit"/> accepts.</param>
    /// <param name="sender">As <see cref="IEnvelopePolicy.OnSenderAsync"/>; null lets every sender through to the recipients.</param>
    public static IEnvelopePolicy From(
        Func<SessionState, Mailbox, CancellationToken, ValueTask<Verdict>> recipient,
        Func<SessionState, ReversePath, CancellationToken, ValueTask<Verdict>>? sender = null) => new FunctionPolicy(recipient, sender);
}

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

/// <summary>A policy made of functions.</summary>
internal sealed class FunctionPolicy(
    Func<SessionState, Mailbox, CancellationToken, ValueTask<Verdict>> recipient,
    Func<SessionState, ReversePath, CancellationToken, ValueTask<Verdict>>? sender) : IEnvelopePolicy
{
    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath path, CancellationToken ct) =>
        sender?.Invoke(session, path, ct) ?? new ValueTask<Verdict>(Verdict.Pass.Instance);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox mailbox, CancellationToken ct) =>
        recipient(session, mailbox, ct);
}
