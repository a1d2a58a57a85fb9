using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transcripts;

/// <summary><see cref="TestPolicy"/>, and every transaction is one of BODY=BINARYMIME, whatever the store of the server can keep.</summary>
internal sealed class BinaryPolicy : IEnvelopePolicy
{
    private readonly TestPolicy policy = new();

    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) => policy.OnSenderAsync(session, sender, ct);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct)
    {
        if (session.Transaction is { Recipients.Count: 0 } transaction)
            session.Transaction = new Transaction(transaction.Sender, transaction.Parameters with { Body = BodyType.BinaryMime });
        return policy.OnRecipientAsync(session, recipient, ct);
    }
}
