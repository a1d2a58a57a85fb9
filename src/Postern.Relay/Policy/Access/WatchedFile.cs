using Postern.Relay.Accounts;

namespace Postern.Relay.Policy.Access;

/// <summary>
/// What a file says, read once and again when it changes, which is looked at once a second. One that cannot be read any more, or has a line
/// that does not read, counts as it was before; one that never could be read says nothing at all.
/// </summary>
/// <param name="read">From its path; throws <see cref="InvalidDataException"/> where one does not read.</param>
internal sealed class WatchedFile<T>(string path, Func<string, T> read, TimeProvider clock)
    where T : class
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Task? look;
    private long? lookedAt;
    private T? content;
    private FileStamp? stamp;
    private string? problem;

    /// <exception cref="IOException">It could never be read: the message says why.</exception>
    public async ValueTask<T> FindAsync(CancellationToken ct)
    {
        Task begun;
        lock (gate)
        {
            if (lookedAt is { } at && clock.GetElapsedTime(at) < Look)
                return Known();
            // Whoever knows what it says goes on with that while another looks.
            if (look is not null && content is { } known)
                return known;
            begun = look ??= Task.Run(LookAgain, CancellationToken.None);
        }

        await begun.WaitAsync(ct);
        lock (gate)
            return Known();
    }

    private T Known() => content ?? throw new IOException(problem);

    private void LookAgain()
    {
        var (now, found, wrong) = (FileStamp.Of(path), (T?)null, (string?)null);
        if (now != stamp || content is null)
        {
            try
            {
                found = read(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                wrong = $"{path}: {e.Message}";
            }
        }

        lock (gate)
        {
            (stamp, lookedAt, look) = (now, clock.GetTimestamp(), null);
            (content, problem) = (found ?? content, wrong ?? problem);
        }
    }
}
