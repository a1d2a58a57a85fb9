using Postern.Smtp.Message;
using Postern.Smtp.Session;

namespace Postern.Testing;

/// <summary>Takes every message and keeps none: for tests of a million of them.</summary>
public sealed class ForgetfulStore : IMessageStore, IMessageDraft
{
    private static readonly StoreOutcome Stored = new StoreOutcome.Stored("1");

    public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) => new(new DraftAnswer.Open(this));

    public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => ValueTask.CompletedTask;

    public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct) => new(Stored);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
