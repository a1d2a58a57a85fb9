using Postern.Relay.Accounts;
using Postern.Sasl;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// A secret that stands in a file, read again when that changes, which is looked at once a second. The line end behind it is none of it.
/// </summary>
internal sealed class SecretFile(string path, TimeProvider clock)
{
    private const int MostOctets = 4096;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Secret? known;
    private FileStamp? stamp;
    private long lookedAt;

    /// <exception cref="IOException">The file cannot be read; nor can it with <see cref="UnauthorizedAccessException"/>.</exception>
    /// <exception cref="InvalidDataException">It holds no secret.</exception>
    public Secret Read()
    {
        lock (gate)
        {
            if (known is not null && clock.GetElapsedTime(lookedAt) < Look)
                return known;
            lookedAt = clock.GetTimestamp();
            var now = FileStamp.Of(path);
            if (known is not null && now == stamp)
                return known;
            known = null;
            if (now?.Length > MostOctets)
                throw new InvalidDataException($"{path} is longer than 4 KiB");
            var text = File.ReadAllText(path).TrimEnd('\r', '\n');
            if (text.Length == 0 || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
                throw new InvalidDataException($"{path} holds no line of printable characters without blanks");
            (known, stamp) = (new Secret(text), now);
            return known;
        }
    }
}
