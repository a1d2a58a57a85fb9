using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>A policy made of functions.</summary>
internal sealed class FunctionPolicy(
    Func<SessionState, Mailbox, CancellationToken, ValueTask<Verdict>> recipient,
    Func<SessionState, ReversePath, CancellationToken, ValueTask<Verdict>>? sender) : IEnvelopePolicy
{
    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath path, CancellationToken ct) =>
        sender?.Invoke(session, path, ct) ?? new ValueTask<Verdict>(Verdict.Pass.Instance);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox mailbox, CancellationToken ct) => recipient(session, mailbox, ct);
}
