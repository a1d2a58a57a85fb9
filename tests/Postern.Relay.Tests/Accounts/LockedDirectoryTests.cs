using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Accounts;

/// <summary>
/// Another process has locked the database against readers: who asks waits, and holds no thread meanwhile. Without a write-ahead log, as a
/// file that somebody else's tool has been at may be: with one, readers and writers do not meet.
/// </summary>
public sealed class LockedDirectoryTests : IDisposable
{
    private const int Questions = 500;

    private readonly DirectoryFixture fixture = new();
    private readonly SqliteConnection other;
    private readonly SqliteDirectory directory;

    public LockedDirectoryTests()
    {
        fixture.AddAccount("lisa");
        fixture.Database.Dispose();
        other = fixture.Connect();
        Execute(other, "pragma journal_mode = delete");
        directory = SqliteDirectory.Open(fixture.Options with { UseWalIndex = false });
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        directory.Dispose();
        other.Dispose();
        fixture.Dispose();
    }

    [Fact]
    public async Task Many_who_ask_hold_no_thread_and_are_answered_when_the_lock_is_gone()
    {
        using var free = new DirectoryFixture();
        free.AddAccount("bob");
        Execute(other, "begin exclusive");
        var store = new DirectoryStore(directory, "mail.example.org");
        var asked = Enumerable.Range(0, Questions).Select(i => store.FindAsync(i % 2 == 0 ? "lisa" : $"nobody{i}", Ct).AsTask()).ToList();
        var domain = ((IDirectory)directory).IsListedAsync(Domain.Parse("example.org"), Ct).AsTask();

        // This thread has come here, and the pool runs other work: nobody else waits.
        Assert.All(asked, static question => Assert.False(question.IsCompleted));
        for (var i = 0; i < 100; i++)
            Assert.NotNull(await Task.Run(() => free.Database.FindAccount("bob"), Ct));
        Assert.InRange(ThreadPool.ThreadCount, 1, 100);

        Execute(other, "rollback");
        var answers = await Task.WhenAll(asked);
        Assert.Equal(Questions / 2, answers.Count(static a => a is LoginAnswer.Found<StoredLogin> { Stored.User: "lisa" }));
        Assert.Equal(Questions / 2, answers.Count(static a => a is LoginAnswer.NoMatch));
        Assert.False(await domain);
    }

    [Fact]
    public async Task Who_leaves_waits_no_longer_and_the_others_do()
    {
        Execute(other, "begin exclusive");
        using var leaving = new CancellationTokenSource();
        var gone = directory.FindLoginAsync("lisa", leaving.Token).AsTask();
        var stays = directory.FindLoginAsync("lisa", Ct).AsTask();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.False(stays.IsCompleted);
        Execute(other, "rollback");
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await stays);
    }

    [Fact]
    public async Task A_lock_that_lasts_is_an_answer_and_nobody_waits_again_until_it_is_gone()
    {
        using var hasty = SqliteDirectory.Open(fixture.Options with { UseWalIndex = false, BusyTimeout = TimeSpan.FromMilliseconds(60) });
        var store = new DirectoryStore(hasty, "mail.example.org");
        Execute(other, "begin exclusive");

        var refused = Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync("lisa", Ct));
        Assert.Contains("locked by another process for longer than 0.06 s", refused.Reason, StringComparison.Ordinal);
        var again = store.FindAsync("lisa", Ct).AsTask();
        Assert.True(again.IsCompleted);
        Assert.IsType<LoginAnswer.Unavailable>(await again);

        Execute(other, "rollback");
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa", Ct));
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
