using System.Net;
using System.Text;
using System.Text.Json;
using Postern.Interop.Tests.Server;
using Postern.Testing;

namespace Postern.Interop.Tests.Matrix;

/// <summary>Says over HTTP whose an opaque token is (RFC 7662), to who knows its secret.</summary>
internal sealed class IntrospectionServer : IAsyncDisposable
{
    public const string Issuer = "https://opaque.matrix.test";
    public const string ClientId = "postern";
    public const string ClientSecret = "s3cret: of the asker";

    private readonly HttpListener listener = new();
    private readonly IReadOnlyDictionary<string, string> users;
    private readonly Task answering;

    /// <param name="users">By token.</param>
    public IntrospectionServer(IReadOnlyDictionary<string, string> users)
    {
        this.users = users;
        Address = $"http://127.0.0.1:{ListeningProgram.FreePort()}/introspect";
        listener.Prefixes.Add(Address + "/");
        listener.Start();
        answering = AnswerAsync();
    }

    public string Address { get; }

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await answering;
        listener.Close();
    }

    private async Task AnswerAsync()
    {
        while (true)
        {
            HttpListenerContext asked;
            try
            {
                asked = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or InvalidOperationException && !listener.IsListening)
            {
                return;
            }

            try
            {
                await AnswerAsync(asked);
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
            {
                // Whoever asked has gone.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext asked)
    {
        using var reader = new StreamReader(asked.Request.InputStream);
        var token = WebUtility.UrlDecode((await reader.ReadToEndAsync()).Split('&').First(static field => field.StartsWith("token=", StringComparison.Ordinal))["token=".Length..]);
        asked.Response.StatusCode = IsKnown(asked.Request.Headers["Authorization"]) ? 200 : 401;
        asked.Response.ContentType = "application/json";
        await asked.Response.OutputStream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(Answer(token)));
        asked.Response.Close();
    }

    private object Answer(string token) => users.TryGetValue(token, out var user)
        ? new { active = true, iss = Issuer, aud = TokenMint.Audience, exp = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds(), email = user }
        : new { active = false };

    /// <summary>RFC 6749 §2.3.1: both encoded for a form, then as Basic.</summary>
    private static bool IsKnown(string? authorization) =>
        authorization == $"Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Uri.EscapeDataString(ClientId)}:{Uri.EscapeDataString(ClientSecret)}"))}";
}
