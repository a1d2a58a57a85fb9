using System.Text;
using Postern.Smtp.Message;
using Postern.Smtp.Session;

namespace EmbeddedSubmission;

/// <summary>Prints messages. A real program makes them durable in CommitAsync: only then may the server say 250.</summary>
internal sealed class ConsoleStore : IMessageStore
{
    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(new DraftAnswer.Open(new Draft(transaction)));

    private sealed class Draft(Transaction transaction) : IMessageDraft
    {
        private readonly StringBuilder content = new();

        public ValueTask AppendAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
        {
            content.Append(Encoding.Latin1.GetString(octets.Span));
            return ValueTask.CompletedTask;
        }

        public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
        {
            Console.WriteLine($"from {transaction.Sender} to {string.Join(", ", transaction.Recipients)}\n{content}");
            return new(new StoreOutcome.Stored(Guid.NewGuid().ToString("N")));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
