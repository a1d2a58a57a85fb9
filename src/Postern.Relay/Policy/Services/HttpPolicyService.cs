using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Sasl;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// One policy service that is asked by POST (docs/http-policy.openapi.yaml), as a store of users is (<see cref="WebService"/>): connections
/// are kept, no redirect is followed, and only 200 is an answer. Any thread may ask.
/// </summary>
internal sealed class HttpPolicyService(HttpPlace place, TimeProvider clock) : IDisposable
{
    private readonly WebService service = new(place.Access, PolicyService.MostConnections, clock);
    private readonly SecretFile? key = place.KeyFile is { } file ? new SecretFile(file, clock) : null;
    private readonly SecretFile? token = place.TokenFile is { } file ? new SecretFile(file, clock) : null;

    /// <param name="id">Of this question alone; the answer repeats it.</param>
    /// <exception cref="OperationCanceledException">No answer before <paramref name="ct"/>.</exception>
    public async ValueTask<PolicyReply> AskAsync(string id, ReadOnlyMemory<byte> question, CancellationToken ct)
    {
        Secret? signs, shown;
        try
        {
            (signs, shown) = (key?.Read(), token?.Read());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return new PolicyReply.Broken($"a file that it is asked with cannot be used: {e.Message}");
        }

        return Read(await service.AskAsync(() => RequestOf(question, signs, shown), ct), id);
    }

    public void Dispose() => service.Dispose();

    private HttpRequestMessage RequestOf(ReadOnlyMemory<byte> body, Secret? signs, Secret? shown)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, place.Address) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.CacheControl = new CacheControlHeaderValue { NoStore = true };
        if (shown is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", shown.Reveal());
        if (signs is not null)
            RequestSignature.Sign(request, body.Span, signs, clock.GetUtcNow());
        return request;
    }

    private static PolicyReply Read(WebAnswer answer, string id) => answer switch
    {
        WebAnswer.Failed(var reason) => new PolicyReply.Broken(reason),
        WebAnswer.Answered(200, { } json, _) => json.TryGetProperty("id", out var repeated)
            && repeated.ValueKind == JsonValueKind.String
            && string.Equals(repeated.GetString(), id, StringComparison.Ordinal)
                ? PolicyAnswer.Read(json)
                : new PolicyReply.Broken("its answer is for another question: 'id' must be the one that was sent"),
        WebAnswer.Answered(200, _, var problem) => new PolicyReply.Broken(problem!),
        WebAnswer.Answered((401 or 403) and var status, _, _) => new PolicyReply.Broken(
            $"it does not take this server for who it is ({Text(status)}): key_file, token_file, client_certificate, and its clock"),
        WebAnswer.Answered(>= 300 and < 400 and var status, _, _) => new PolicyReply.Broken(
            $"it sends elsewhere ({Text(status)}), which is not followed: the address is another one"),
        WebAnswer.Answered(var status, _, _) => new PolicyReply.Broken($"it answers {Text(status)}"),
        _ => throw new InvalidOperationException("a new answer"),
    };

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
