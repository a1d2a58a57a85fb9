using Microsoft.Win32.SafeHandles;
using Postern.Relay.Audit;
using Postern.Relay.Tests.Spool;

namespace Postern.Relay.Tests.Audit;

/// <summary>Whoever waits for events to be safe goes on when the disk has them, and not before: until then the spool keeps what tells them.</summary>
public sealed class AuditSyncTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly SemaphoreSlim begun = new(0);
    private readonly SemaphoreSlim disk = new(0);
    private readonly List<SafeFileHandle> flushed = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        disk.Dispose();
        directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_written_is_safe_when_the_disk_has_it_also_when_its_file_is_closed_meanwhile(bool isClosed)
    {
        var troubles = new List<string>();
        using var sync = new AuditSync(troubles.Add, Flush);
        var (before, first, second, safe) = (Open("auth"), Open("mail"), Open("policy"), NewSignal());
        try
        {
            // While it is busy with another, what comes is for the next time.
            sync.Note(before);
            Assert.True(await begun.WaitAsync(TimeSpan.FromSeconds(20), Ct));
            sync.Note(first);
            sync.Note(second);
            sync.Tell(safe);
            if (isClosed)
                sync.Close(first);

            disk.Release();
            Assert.True(await begun.WaitAsync(TimeSpan.FromSeconds(20), Ct));
            disk.Release();
            Assert.True(await begun.WaitAsync(TimeSpan.FromSeconds(20), Ct));
            Assert.False(safe.Task.IsCompleted); // one of two
            Assert.False(first.IsClosed);
            disk.Release();
            await safe.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);

            Assert.Equal([first, second], flushed.Skip(1).OrderBy(handle => handle == second));
            Assert.Empty(troubles);
        }
        finally
        {
            disk.Release(10);
        }

        sync.Close(before);
        sync.Close(first);
        sync.Close(second);
    }

    [Fact]
    public async Task A_disk_that_takes_nothing_is_told_and_keeps_nobody_waiting()
    {
        var troubles = new List<string>();
        using var sync = new AuditSync(troubles.Add, static _ => throw new IOException("no"));
        var safe = NewSignal();
        sync.Note(Open("mail"));
        sync.Tell(safe);
        await safe.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        Assert.Equal(["no"], troubles);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Flush(SafeFileHandle handle)
    {
        begun.Release();
        disk.Wait(Ct);
        lock (flushed)
            flushed.Add(handle);
    }

    private SafeFileHandle Open(string name) => File.OpenHandle(Path.Combine(directory.Path, name), FileMode.Create, FileAccess.Write);
}
