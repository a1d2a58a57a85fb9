using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Postern.Tests.Examples;

/// <summary>A server that answers as the KV engine (version 2) of Vault does for one token and one secret. It stands in for Vault, which no package has.</summary>
internal sealed class VaultServer : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly Task serving;

    public VaultServer()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}");
        }

        listener.Prefixes.Add(Address + "/");
        listener.Start();
        serving = ServeAsync();
    }

    public string Address { get; }

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                var (status, body) = Answer(context.Request);
                context.Response.StatusCode = status;
                context.Response.ContentType = "application/json";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // It was closed.
        }
    }

    private static (int Status, string Body) Answer(HttpListenerRequest request) => (request.Headers["X-Vault-Token"], request.Url!.AbsolutePath) switch
    {
        ("token-of-this-server", "/v1/secret/data/smtp-auth/scott") => (200, """{ "data": { "data": { "key": "tiger" }, "metadata": { "version": 1, "deletion_time": "", "destroyed": false } } }"""),
        ("token-of-this-server", "/v1/auth/token/lookup-self") => (200, """{ "data": { "ttl": 0, "renewable": false } }"""),
        ("token-of-this-server", _) => (404, """{ "errors": [] }"""),
        _ => (403, """{ "errors": ["permission denied"] }"""),
    };
}
