using Postern.Relay.Accounts;

namespace Postern.Relay.Policy.Access;

/// <summary>
/// What a file says, read once and again when it changes, which is looked at once a second. A change counts when two looks have found the
/// same and reading it has not found it changed: whoever writes it in its place is done then. One that cannot be read any more, or has a
/// line that does not read, counts as it was before; one that never could be read says nothing at all.
/// </summary>
/// <param name="read">From its path; throws <see cref="InvalidDataException"/> where one does not read.</param>
/// <param name="tell">Told once why a changed file does not count.</param>
internal sealed class WatchedFile<T>(string path, Func<string, T> read, TimeProvider clock, Action<string>? tell = null)
    where T : class
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Task? look;
    private long? lookedAt;
    private T? content;
    private FileStamp? stamp;
    private FileStamp? seen;
    private string? problem;

    /// <exception cref="IOException">It could never be read: the message says why.</exception>
    public ValueTask<T> FindAsync(CancellationToken ct)
    {
        lock (gate)
        {
            if (lookedAt is { } at && clock.GetElapsedTime(at) < Look)
                return new(Known());
            // Whoever knows what it says goes on with that while another looks.
            return look is not null && content is { } known
                ? new(known)
                : AfterAsync(look ??= Task.Run(LookAgain, CancellationToken.None), ct);
        }
    }

    private async ValueTask<T> AfterAsync(Task begun, CancellationToken ct)
    {
        await begun.WaitAsync(ct);
        lock (gate)
            return Known();
    }

    private T Known() => content ?? throw new IOException(problem);

    private void LookAgain()
    {
        var (now, found, wrong) = (FileStamp.Of(path), (T?)null, (string?)null);
        var (isChanged, isSettled) = (now != stamp || content is null, now == seen || content is null);
        if (isChanged && isSettled)
        {
            try
            {
                found = read(path);
                if (FileStamp.Of(path) is var after && after != now)
                    (found, wrong, isSettled, now) = (null, $"{path}: it is being written", false, after);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                wrong = $"{path}: {e.Message}";
            }
        }

        if (wrong is not null && isSettled && content is not null)
            tell?.Invoke($"{wrong}; it counts as it was before");
        lock (gate)
        {
            seen = now;
            if (isSettled)
                stamp = now;
            (lookedAt, look) = (clock.GetTimestamp(), null);
            (content, problem) = (found ?? content, wrong ?? problem);
        }
    }
}
