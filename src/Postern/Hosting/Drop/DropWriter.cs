using System.Text;
using Postern.Machine;
using Postern.Relay.Envelopes;
using Postern.Smtp.Session;

namespace Postern.Hosting.Drop;

/// <summary>
/// One message being left in the drop directory. It has another name until it is whole and on the disk, so nobody ever takes up a part; a
/// writer that is killed leaves a file that the server clears away later. What goes wrong is an <see cref="IOException"/> or an
/// <see cref="UnauthorizedAccessException"/>.
/// </summary>
internal sealed class DropWriter : IAsyncDisposable
{
    /// <summary>The server reads them by the group that the directory gives.</summary>
    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly FileStream file;
    private readonly string unfinished;
    private readonly string finished;
    private readonly long contentAt;
    private bool isDone;

    private DropWriter(string directory, SmtpEnvelope envelope, string? user, TimeProvider clock)
    {
        Name = QueueId.New(clock).ToString();
        unfinished = Path.Combine(directory, DropDirectory.UnfinishedPrefix + Name);
        finished = Path.Combine(directory, DropDirectory.FinishedPrefix + Name);
        file = new FileStream(
            unfinished,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerAndGroup,
                BufferSize = 64 * 1024,
            });
        // The mask of the process must not keep the server out.
        File.SetUnixFileMode(file.SafeFileHandle, OwnerAndGroup);
        var head = DropFile.Head(envelope, user, length: 0);
        file.Write(head);
        contentAt = head.Length;
    }

    /// <summary>The message's own part of the file's name; the trace field of the server names it.</summary>
    public string Name { get; }

    /// <summary>Octets of content so far.</summary>
    public long Length => file.Position - contentAt;

    /// <summary>Begins a message.</summary>
    /// <param name="user">As whom to send, where this process is the server's own user; else null.</param>
    public static DropWriter Begin(string directory, SmtpEnvelope envelope, string? user, TimeProvider clock) =>
        new(directory, envelope, user, clock);

    /// <summary>Takes content whose lines end in CRLF.</summary>
    public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => file.WriteAsync(content, ct);

    /// <summary>Makes the message durable and visible; the server takes it up when it runs.</summary>
    public async ValueTask CommitAsync(CancellationToken ct)
    {
        var length = Length;
        await file.FlushAsync(ct);
        file.Seek(0, SeekOrigin.Begin);
        await file.WriteAsync(Encoding.ASCII.GetBytes(DropFile.LengthLine(length)), ct);
        await file.FlushAsync(ct);
        file.Flush(flushToDisk: true);
        File.Move(unfinished, finished, overwrite: true);
        isDone = true;
        // Whoever may only write into a directory cannot sync it. Syncing the file again makes its new name durable.
        file.Flush(flushToDisk: true);
    }

    public async ValueTask DisposeAsync()
    {
        await file.DisposeAsync();
        if (!isDone)
            File.Delete(unfinished);
    }

    /// <summary>As whom a command leaves messages: root first becomes the directory's owner, and is still known as root.</summary>
    public static Problem? Become(string directory, out string? user)
    {
        var was = UserIdentity.Current;
        var problem = DirectoryOwner.Become(directory);
        user = problem is null && DirectoryOwner.Actor is var actor && actor != UserIdentity.Current ? was : null;
        return problem;
    }
}
