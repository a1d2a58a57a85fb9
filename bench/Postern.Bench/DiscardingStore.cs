using Postern.Smtp.Message;
using Postern.Smtp.Session;

namespace Postern.Bench;

/// <summary>Accepts and discards.</summary>
internal sealed class DiscardingStore : IMessageStore
{
    private static readonly StoreOutcome Stored = new StoreOutcome.Stored("1");

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
        new(new DraftAnswer.Open(new Draft()));

    private sealed class Draft : IMessageDraft
    {
        public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct) => new(Stored);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
