using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Postern.Testing;

/// <summary>
/// A token endpoint and a device authorization endpoint on loopback (RFC 6749, RFC 8628). Answers as scripted, and remembers what it was asked.
/// </summary>
public sealed class TokenServer : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly ConcurrentQueue<IReadOnlyDictionary<string, string>> asked = new();
    private readonly Task answering;
    private volatile Func<IReadOnlyDictionary<string, string>, TokenReply> answer = static _ => TokenReply.Granted("token-1");

    public TokenServer()
    {
        while (true)
        {
            var port = FreePort();
            try
            {
                listener.Prefixes.Clear();
                listener.Prefixes.Add($"http://127.0.0.1:{port}/");
                listener.Start();
                TokenUrl = $"http://127.0.0.1:{port}/token";
                DeviceUrl = $"http://127.0.0.1:{port}/device";
                break;
            }
            catch (HttpListenerException)
            {
                // Somebody else took it meanwhile.
            }
        }

        answering = AnswerAsync();
    }

    public string TokenUrl { get; }

    public string DeviceUrl { get; }

    /// <summary>Given the form; the path stands in it as <c>path</c>.</summary>
    public Func<IReadOnlyDictionary<string, string>, TokenReply> Answer
    {
        get => answer;
        set => answer = value;
    }

    /// <summary>The forms so far, in order.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Asked => [.. asked];

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await answering;
        listener.Close();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private async Task AnswerAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or InvalidOperationException && !listener.IsListening)
            {
                return;
            }

            try
            {
                using var reader = new StreamReader(context.Request.InputStream);
                var form = (await reader.ReadToEndAsync()).Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static f => f.Split('=', 2))
                    .ToDictionary(static f => WebUtility.UrlDecode(f[0]), static f => WebUtility.UrlDecode(f[1]), StringComparer.Ordinal);
                form["path"] = context.Request.Url!.AbsolutePath;
                asked.Enqueue(form);
                var reply = Answer(form);
                context.Response.StatusCode = reply.Status;
                context.Response.ContentType = "application/json";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(reply.Body));
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
            {
                // Whoever asked has gone.
            }
        }
    }
}

/// <summary>One answer of a <see cref="TokenServer"/>.</summary>
public sealed record TokenReply(int Status, string Body)
{
    public static TokenReply Granted(string token, int seconds = 3600, string? refresh = null) => new(
        200,
        JsonSerializer.Serialize(
            refresh is null
                ? new Dictionary<string, object> { ["token_type"] = "Bearer", ["access_token"] = token, ["expires_in"] = seconds }
                : new Dictionary<string, object> { ["token_type"] = "Bearer", ["access_token"] = token, ["expires_in"] = seconds, ["refresh_token"] = refresh }));

    public static TokenReply Refused(string error, string description, int status = 400) => new(
        status, JsonSerializer.Serialize(new Dictionary<string, string> { ["error"] = error, ["error_description"] = description }));

    public static TokenReply Device(string userCode) => new(
        200,
        JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["device_code"] = "device-1",
            ["user_code"] = userCode,
            ["verification_uri"] = "https://login.example.test/device",
            ["expires_in"] = 900,
            ["interval"] = 1,
        }));
}
