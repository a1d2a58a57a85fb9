using System.Security.Cryptography;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>
/// Stores made of functions, for messages that fit in memory: each is held whole while it arrives, up to
/// <see cref="Session.SessionLimits.MessageOctets"/>. A program that takes large messages implements <see cref="IMessageStore"/>, which
/// streams.
/// </summary>
public static class MessageStore
{
    /// <summary>
    /// A store that keeps every message. When the task completes the client reads <c>250 2.0.0 Queued as</c> and
    /// <see cref="ReceivedMessage.Id"/>, so by then the message must be safe. An exception ends the session with 421: the client will send
    /// the message again.
    /// </summary>
    public static IMessageStore From(Func<ReceivedMessage, CancellationToken, Task> keep) => new FunctionStore(async (message, ct) =>
    {
        await keep(message, ct);
        return new StoreOutcome.Stored(message.Id);
    });

    /// <summary>A store that keeps a message under an id of its own, or refuses it with a reply.</summary>
    public static IMessageStore From(Func<ReceivedMessage, CancellationToken, Task<StoreOutcome>> keep) => new FunctionStore(keep);
}

/// <summary>Collects each message in memory, then asks a function. The session's limit bounds what is collected.</summary>
internal sealed class FunctionStore(Func<ReceivedMessage, CancellationToken, Task<StoreOutcome>> keep) : IMessageStore
{
    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(new DraftAnswer.Open(new Draft(keep, session, transaction)));

    private sealed class Draft(
        Func<ReceivedMessage, CancellationToken, Task<StoreOutcome>> keep, SessionState session, Transaction transaction) : IMessageDraft
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

/// <summary>Stands where no store was given: <see cref="OptionsReview"/> says so, and nothing is ever accepted.</summary>
internal sealed class NoStore : IMessageStore
{
    public static NoStore Instance { get; } = new();

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(new DraftAnswer.Refuse(StandardReply.InternalError));
}
