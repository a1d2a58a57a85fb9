using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Postern.Testing;

/// <summary>
/// No Vault and no OpenBao, but a server that answers as their public documentation of the HTTP API says (api-docs: index, auth/approle, auth/kubernetes, auth/token,
/// secret/kv/kv-v1 and kv-v2, system/internal-ui-mounts): as much of it as a reader of secrets meets. An engine of version 2 is mounted at <c>secret/</c>, one of
/// version 1 at <c>older/</c>.
/// </summary>
public sealed class DocumentedVault : IAsyncDisposable
{
    public const string RoleId = "role-of-postern";

    private const string Kubernetes = "jwt-of-postern";

    private readonly ConcurrentDictionary<string, JsonObject> secrets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> gone = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> tokens = new(StringComparer.Ordinal);
    private int made;

    /// <param name="certificate">With its key; null for a server without TLS.</param>
    public DocumentedVault(X509Certificate2? certificate = null) => Server = new WebServer(Answer, certificate);

    public WebServer Server { get; }

    public string SecretId { get; set; } = "secret-id";

    /// <summary>The token of a service account that logs in by Kubernetes as the role <c>postern</c>.</summary>
    public string Jwt { get; set; } = Kubernetes;

    public bool IsSealed { get; set; }

    /// <summary>What tokens may read: a path with a star at its end.</summary>
    public string Policy { get; set; } = "secret/*";

    /// <summary>The time of a token, in seconds; zero: for ever.</summary>
    public int Lease { get; set; } = 3600;

    /// <summary>What it is renewed for.</summary>
    public int RenewedLease { get; set; } = 3600;

    public bool IsRenewable { get; set; } = true;

    /// <summary>In place of every secret that is read.</summary>
    public WebReply? Instead { get; set; }

    /// <summary>What every request must name; null for none.</summary>
    public string? Namespace { get; set; }

    /// <summary>Logins that were granted.</summary>
    public int Logins => Volatile.Read(ref made);

    public int Renewals { get; private set; }

    /// <summary>A token that an operator has made.</summary>
    public string Issue(string token)
    {
        tokens[token] = true;
        return token;
    }

    public void RevokeAll() => tokens.Clear();

    public void Put(string path, JsonObject data)
    {
        secrets[path] = data;
        gone.TryRemove(path, out _);
    }

    /// <summary>As <c>vault kv delete</c> or <c>vault kv destroy</c>: there is a version, and it has no data.</summary>
    public void Delete(string path, bool isDestroyed = false)
    {
        if (secrets.TryRemove(path, out _))
            gone[path] = isDestroyed;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static WebReply Errors(int status, params string[] errors) => new(status, JsonSerializer.Serialize(new { errors }));

    private static WebReply Data(JsonNode data, int status = 200) => new(status, new JsonObject
    {
        ["request_id"] = "1",
        ["lease_id"] = "",
        ["renewable"] = false,
        ["lease_duration"] = 0,
        ["data"] = data,
        ["wrap_info"] = null,
        ["warnings"] = null,
        ["auth"] = null,
    }.ToJsonString());

    private WebReply Answer(WebQuestion question)
    {
        if (IsSealed)
            return Errors(503, "Vault is sealed");
        if (Namespace is { } name && question.Fields.GetValueOrDefault("X-Vault-Namespace") != name)
            return Errors(404, $"no handler for route \"{question.Path}\". route entry not found.");
        // The server of Go takes the escapes out before it looks for the route, and sends a path with dots to what it comes to.
        var path = WebUtility.UrlDecode(question.Path.Replace("+", "%2B", StringComparison.Ordinal));
        if (path.Split('/').Any(static part => part is "." or ".."))
            return new WebReply(301, "") { Fields = [("Location", "/v1/elsewhere")] };
        return (question.Method, path["/v1/".Length..]) switch
        {
            ("POST", "auth/approle/login") => LogIn(question, ("role_id", RoleId), ("secret_id", SecretId)),
            ("POST", "auth/kubernetes/login") => LogIn(question, ("role", "postern"), ("jwt", Jwt)),
            _ when question.Fields.GetValueOrDefault("X-Vault-Token") is not { } token || !tokens.ContainsKey(token) => Errors(403, "permission denied"),
            ("POST", "auth/token/renew-self") => Renew(question),
            ("GET", "auth/token/lookup-self") => Data(new JsonObject { ["ttl"] = Lease, ["renewable"] = IsRenewable, ["policies"] = new JsonArray("default", "postern") }),
            ("GET", var wanted) when wanted.StartsWith("sys/internal/ui/mounts/", StringComparison.Ordinal) => Mount(wanted["sys/internal/ui/mounts/".Length..]),
            ("GET", var wanted) => Read(wanted),
            _ => Errors(405, "unsupported operation"),
        };
    }

    private WebReply LogIn(WebQuestion question, params (string Name, string Value)[] fields)
    {
        var body = JsonNode.Parse(question.Body)!.AsObject();
        if (!fields.All(field => body[field.Name]?.GetValue<string>() == field.Value))
            return fields[0].Name == "role" ? Errors(403, "permission denied") : Errors(400, "invalid role or secret ID");
        var token = string.Create(CultureInfo.InvariantCulture, $"hvs.token-{Interlocked.Increment(ref made)}");
        tokens[token] = true;
        return Auth(token, Lease);
    }

    private WebReply Renew(WebQuestion question)
    {
        if (!IsRenewable)
            return Errors(400, "lease is not renewable");
        Renewals++;
        return Auth(question.Fields["X-Vault-Token"], RenewedLease);
    }

    private WebReply Auth(string token, int lease) => new(200, new JsonObject
    {
        ["auth"] = new JsonObject { ["client_token"] = token, ["policies"] = new JsonArray("default", "postern"), ["lease_duration"] = lease, ["renewable"] = IsRenewable },
    }.ToJsonString());

    private WebReply Mount(string mount) => mount.Split('/')[0] switch
    {
        "secret" => Data(new JsonObject { ["path"] = "secret/", ["type"] = "kv", ["options"] = new JsonObject { ["version"] = "2" } }),
        "older" => Data(new JsonObject { ["path"] = "older/", ["type"] = "kv", ["options"] = null }),
        _ => Errors(403, "preflight capability check returned 403, please ensure client's policies grant access to path"),
    };

    private WebReply Read(string path)
    {
        if (!path.StartsWith(Policy.TrimEnd('*'), StringComparison.Ordinal))
            return Errors(403, "permission denied");
        if (!path.StartsWith("secret/", StringComparison.Ordinal))
            return path.StartsWith("older/", StringComparison.Ordinal) ? ReadOlder(path) : Errors(404, $"no handler for route \"{path}\". route entry not found.");
        if (Instead is { } other)
            return other;
        if (!path.StartsWith("secret/data/", StringComparison.Ordinal))
            return new WebReply(404, "{\"data\":null,\"warnings\":[\"Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use.\"]}");
        var key = $"secret/{path["secret/data/".Length..]}";
        var isGone = gone.TryGetValue(key, out var isDestroyed);
        if (!secrets.TryGetValue(key, out var secret) && !isGone)
            return Errors(404);
        return Data(
            new JsonObject
            {
                ["data"] = secret?.DeepClone(),
                ["metadata"] = new JsonObject
                {
                    ["created_time"] = "2018-03-22T02:24:06.945319214Z",
                    ["custom_metadata"] = null,
                    ["deletion_time"] = isGone ? "2018-03-22T02:36:43.986212308Z" : "",
                    ["destroyed"] = isDestroyed,
                    ["version"] = 1,
                },
            },
            isGone ? 404 : 200);
    }

    /// <summary>There is nothing special in <c>data/</c> there.</summary>
    private WebReply ReadOlder(string path) => secrets.TryGetValue(path, out var secret) ? Data(secret.DeepClone()) : Errors(404);
}
