using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Accounts.Stores.Answers;

namespace Postern.Relay.Accounts.Stores.Web;

/// <summary>
/// A service that is asked over HTTP for JSON. Connections are kept and used again; what did not answer in time is not asked again over
/// the same ones. No redirect is followed, no proxy asked (<see cref="GuardedFetch"/>), and an answer has bounds.
/// </summary>
/// <param name="mostConnections">To one server.</param>
internal sealed class WebService(WebAccess access, int mostConnections, TimeProvider clock) : IDisposable
{
    /// <summary>Of an answer.</summary>
    public const int MostOctets = 1 << 20;

    /// <summary>How often the files of certificates are looked at.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Connections? current;
    private long lookedAt;

    /// <summary>Sends what <paramref name="make"/> makes, once more over another connection where the first was dead.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<WebAnswer> AskAsync(Func<HttpRequestMessage> make, CancellationToken ct)
    {
        Connections? taken = null;
        try
        {
            taken = Take();
            try
            {
                return await AskOnceAsync(taken.Http, make, ct);
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ResponseEnded && !ct.IsCancellationRequested)
            {
                // It was closed over there while nobody asked.
                return await AskOnceAsync(taken.Http, make, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody knows which of the others are as dead.
            Forget(taken);
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || WebAccess.IsOfAFile(e))
        {
            return new WebAnswer.Failed(
                taken is null ? $"a file that it is reached with cannot be used: {e.Message}" : Unreachable.WhyNotByHttp(e));
        }
        finally
        {
            if (taken is not null)
                Return(taken);
        }
    }

    public void Dispose() => Forget(current);

    private static async Task<WebAnswer> AskOnceAsync(HttpClient http, Func<HttpRequestMessage> make, CancellationToken ct)
    {
        using var request = make();
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        var status = (int)response.StatusCode;
        if (response.Content.Headers.ContentLength > MostOctets)
            return TooLong(status);
        var octets = new MemoryStream();
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, ct) is > 0 and var read)
        {
            if (octets.Length + read > MostOctets)
                return TooLong(status);
            await octets.WriteAsync(buffer.AsMemory(0, read), ct);
        }

        return Read(status, response.Content.Headers.ContentType, octets.GetBuffer().AsMemory(0, (int)octets.Length));
    }

    private static WebAnswer TooLong(int status) =>
        new WebAnswer.Answered(status, Json: null, "its answer is longer than 1 MiB");

    private static WebAnswer Read(int status, MediaTypeHeaderValue? type, ReadOnlyMemory<byte> octets)
    {
        if (!string.Equals(type?.MediaType, "application/json", StringComparison.OrdinalIgnoreCase))
            return new WebAnswer.Answered(status, Json: null, "its answer is not of type application/json");
        try
        {
            using var document = TokenJson.Parse(octets);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new WebAnswer.Answered(status, document.RootElement.Clone(), Problem: null)
                : new WebAnswer.Answered(status, Json: null, "its answer is no JSON object");
        }
        catch (JsonException)
        {
            return new WebAnswer.Answered(status, Json: null, "its answer is no JSON, or a member comes twice");
        }
    }

    private Connections Take()
    {
        lock (gate)
        {
            if (current is { } known && clock.GetElapsedTime(lookedAt) >= Look)
            {
                lookedAt = clock.GetTimestamp();
                if (known.Stamps != access.Stamps)
                    Close(known);
            }

            if (current is null)
            {
                var stamps = access.Stamps; // before reading: a change in between costs another look
                lookedAt = clock.GetTimestamp();
                var certificate = access.LoadCertificate();
                current = new Connections(
                    GuardedFetch.Create(new FetchRules
                    {
                        Roots = access.LoadAuthorities(),
                        Certificate = certificate,
                        MostConnections = mostConnections,
                        MostOctets = MostOctets,
                    }),
                    certificate,
                    stamps);
            }

            current.Users++;
            return current;
        }
    }

    private void Return(Connections taken)
    {
        lock (gate)
        {
            taken.Users--;
            if (taken != current)
                Close(taken);
        }
    }

    private void Forget(Connections? taken)
    {
        lock (gate)
        {
            if (taken is not null && taken == current)
                Close(taken);
        }
    }

    /// <summary>Under the gate. What others still wait for is left to them.</summary>
    private void Close(Connections connections)
    {
        if (current == connections)
            current = null;
        if (connections.Users > 0)
            return;
        connections.Http.Dispose();
        connections.Certificate?.Dispose();
    }

    private sealed class Connections(
        HttpClient http,
        System.Security.Cryptography.X509Certificates.X509Certificate2? certificate,
        (FileStamp?, FileStamp?, FileStamp?) stamps)
    {
        public HttpClient Http => http;

        public System.Security.Cryptography.X509Certificates.X509Certificate2? Certificate => certificate;

        public (FileStamp?, FileStamp?, FileStamp?) Stamps => stamps;

        /// <summary>Under the gate.</summary>
        public int Users { get; set; }
    }
}

/// <summary>What came of a question over HTTP.</summary>
internal abstract record WebAnswer
{
    private WebAnswer()
    {
    }

    /// <param name="Json">An object; null where the answer holds none.</param>
    /// <param name="Problem">Why there is none.</param>
    public sealed record Answered(int Status, JsonElement? Json, string? Problem) : WebAnswer
    {
        /// <summary>The status alone: what was answered may be anything.</summary>
        public override string ToString() => Status.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Nobody answered.</summary>
    public sealed record Failed(string Reason) : WebAnswer;
}
