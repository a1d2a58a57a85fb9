using System.Globalization;
using System.Net.Http.Headers;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores.Vault;

/// <summary>
/// The nodes of a cluster, asked one after another: the next where one cannot be reached, is sealed or on standby. A node on standby mostly
/// asks the active one itself, or sends to it; what it sends to is not followed, for the token would go along.
/// </summary>
internal sealed class VaultNodes(VaultAccess access, TimeProvider clock) : IDisposable
{
    private readonly WebService service = new(access.Web, access.MostQuestions, clock);
    private int preferred;

    /// <param name="path">Behind <c>/v1/</c>, as it stands in a request.</param>
    /// <param name="body">JSON; null for none.</param>
    /// <returns>What the first node says that can; else what the last one said.</returns>
    public async ValueTask<WebAnswer> AskAsync(HttpMethod method, string path, byte[]? body, Secret? token, CancellationToken ct)
    {
        WebAnswer answer = new WebAnswer.Failed("no address is configured");
        var first = Volatile.Read(ref preferred);
        for (var i = 0; i < access.Addresses.Length; i++)
        {
            var index = (first + i) % access.Addresses.Length;
            answer = await AskAsync(access.Addresses[index], method, path, body, token, ct);
            if (answer is WebAnswer.Answered { Status: var status } && !IsAnothersTurn(status))
            {
                Volatile.Write(ref preferred, index);
                return answer;
            }
        }

        return answer;
    }

    public void Dispose() => service.Dispose();

    /// <summary>What a status means that is none of what was asked for.</summary>
    public static string Words(int status) => status switch
    {
        503 => "it is sealed, or down for maintenance (503): vault operator unseal",
        501 => "it is not initialized (501): vault operator init",
        429 => "it is on standby, or has had too many questions (429)",
        472 => "it is the secondary of a disaster recovery (472): name the primary",
        473 or 474 => string.Create(
            CultureInfo.InvariantCulture, $"it is on standby, and does not ask the active node ({status}): name that in 'address' too"),
        >= 300 and < 400 => string.Create(
            CultureInfo.InvariantCulture, $"it is on standby, and sends to another node ({status}): name that in 'address' too"),
        412 => "it does not have the newest state yet (412)",
        _ => string.Create(CultureInfo.InvariantCulture, $"it answers {status}"),
    };

    private static bool IsAnothersTurn(int status) => status is 429 or 472 or 473 or 474 or 501 or 503 or (>= 300 and < 400);

    private async ValueTask<WebAnswer> AskAsync(
        Uri address, HttpMethod method, string path, byte[]? body, Secret? token, CancellationToken ct)
    {
        if (access.Addresses.Length == 1)
            return await service.AskAsync(() => RequestOf(address, method, path, body, token), ct);
        // One that hangs leaves time for the others.
        using var share = new CancellationTokenSource(access.Timeout / (access.Addresses.Length + 1), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, share.Token);
        try
        {
            return await service.AskAsync(() => RequestOf(address, method, path, body, token), either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new WebAnswer.Failed("it does not answer in time");
        }
    }

    private HttpRequestMessage RequestOf(Uri address, HttpMethod method, string path, byte[]? body, Secret? token)
    {
        var request = new HttpRequestMessage(method, new Uri(address, $"/v1/{path}"));
        request.Headers.Add("X-Vault-Request", "true");
        if (token is not null)
            request.Headers.Add("X-Vault-Token", token.Reveal());
        if (access.Namespace is { } name)
            request.Headers.Add("X-Vault-Namespace", name);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        return request;
    }
}
