using System.Security.Cryptography;
using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>Collects each message in memory, then asks a function. The session's limit bounds what is collected.</summary>
internal sealed class FunctionStore(Func<ReceivedMessage, CancellationToken, Task<StoreOutcome>> keep) : IMessageStore
{
    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(new DraftAnswer.Open(new Draft(keep, session, transaction)));

    private sealed class Draft(Func<ReceivedMessage, CancellationToken, Task<StoreOutcome>> keep, SessionState session, Transaction transaction) : IMessageDraft
    {
        private readonly MemoryStream content = new();

        public ValueTask AppendAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
        {
            content.Write(octets.Span);
            return ValueTask.CompletedTask;
        }

        public async ValueTask<StoreOutcome> CommitAsync(CancellationToken ct) => await keep(
            new ReceivedMessage
            {
                Id = RandomNumberGenerator.GetHexString(32, lowercase: true),
                Sender = transaction.Sender,
                Recipients = [.. transaction.Recipients.Select(static r => r.Mailbox)],
                Content = content.GetBuffer().AsMemory(0, (int)content.Length),
                Login = session.Login,
                LoginData = session.LoginData,
                ClientAddress = session.ClientAddress,
                Listener = session.Listener,
                IsProtected = session.Tls is not null,
            },
            ct);

        public ValueTask DisposeAsync()
        {
            content.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
