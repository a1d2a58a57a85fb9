using Postern.Smtp.Grammar;
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
