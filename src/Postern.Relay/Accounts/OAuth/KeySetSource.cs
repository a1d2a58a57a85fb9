using System.Net.Http.Headers;
using Microsoft.IdentityModel.Tokens;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// An issuer's key set, kept: read again when it is old, or when a token names a key that it lacks, but not more often than once a minute;
/// a file also as soon as it has changed. What was read last stays good while the source cannot be reached, for a day.
/// </summary>
internal sealed class KeySetSource(Uri address, HttpClient http, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);
    private static readonly TimeSpan Usable = TimeSpan.FromHours(24);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim reading = new(1);
    private WebKeySet? set;
    private FileStamp? seen;
    private DateTimeOffset readAt;
    private DateTimeOffset triedAt = DateTimeOffset.MinValue;
    private string problem = "the key set was not read yet";

    /// <summary>The keys that may have signed a token; none and a reason when there is no key set to ask.</summary>
    public async ValueTask<(IReadOnlyList<JsonWebKey> Keys, string? Unavailable)> FindAsync(
        string? keyId, string algorithm, CancellationToken ct)
    {
        var found = Candidates(keyId, algorithm);
        var now = clock.GetUtcNow();
        if (found.Count > 0 && now - readAt < Fresh && !HasChanged())
            return (found, null);
        await reading.WaitAsync(ct);
        try
        {
            now = clock.GetUtcNow();
            var isStale = set is null || now - readAt >= Fresh || Candidates(keyId, algorithm).Count == 0;
            if ((isStale && now - triedAt >= Pause) || HasChanged())
                await ReadAsync(now, ct);
            return set is null || now - readAt >= Usable ? ([], problem) : (Candidates(keyId, algorithm), null);
        }
        finally
        {
            reading.Release();
        }
    }

    public void Dispose() => reading.Dispose();

    private List<JsonWebKey> Candidates(string? keyId, string algorithm) => [.. set?.Candidates(keyId, algorithm) ?? []];

    /// <summary>
    /// Never for what is fetched. A file that could not be read is tried again when it changes once more, or after the pause.
    /// </summary>
    private bool HasChanged() => address.IsFile && triedAt != DateTimeOffset.MinValue && FileStamp.Of(address.LocalPath) != seen;

    private async Task ReadAsync(DateTimeOffset now, CancellationToken ct)
    {
        triedAt = now;
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
            deadline.CancelAfter(Patience);
            var json = address.IsFile ? await ReadFileAsync(deadline.Token) : await FetchAsync(deadline.Token);
            if (WebKeySet.TryParse(json, out var read, out var why))
                (set, readAt) = (read, now);
            else
                problem = $"the key set at {address} is of no use: {why}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException
            || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            problem = $"the key set at {address} cannot be read: {(e is OperationCanceledException ? "no answer in time" : e.Message)}";
        }
    }

    private async Task<byte[]> ReadFileAsync(CancellationToken ct)
    {
        seen = FileStamp.Of(address.LocalPath); // before reading: a change in between costs another look
        await using var file = new FileStream(address.LocalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return await ReadAsync(file, ct);
    }

    private async Task<byte[]> FetchAsync(CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        return await ReadAsync(body, ct);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken ct)
    {
        var content = new byte[WebKeySet.MaxOctets + 1];
        var length = await stream.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, ct);
        if (length > WebKeySet.MaxOctets)
            throw new IOException($"it is larger than {WebKeySet.MaxOctets} octets");
        return content[..length];
    }
}
