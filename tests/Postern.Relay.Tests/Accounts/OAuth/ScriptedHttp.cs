using System.Net;
using System.Text;

namespace Postern.Relay.Tests.Accounts.OAuth;

/// <summary>An HTTP server that exists only in memory.</summary>
internal sealed class ScriptedHttp : HttpMessageHandler
{
    public Func<HttpRequestMessage, (int Status, string Body)> Answer { get; set; } = static _ => (404, string.Empty);

    public int Requests { get; private set; }

    public string? LastBody { get; private set; }

    public string? LastAuthorization { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests++;
        LastBody = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        LastAuthorization = request.Headers.Authorization?.ToString();
        var (status, body) = Answer(request);
        return new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
    }
}
