using System.Text.Json;
using Postern.Relay.Accounts.Stores.Web;

namespace Postern.Relay.Accounts.Stores.Vault;

/// <summary>
/// Reads secrets of KV engines of version 2, in Vault or OpenBao (their HTTP API: /v1/MOUNT/data/PATH). Any thread may ask, many at a time.
/// </summary>
public sealed class VaultClient : IDisposable
{
    /// <summary>How long is known which version an engine has.</summary>
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(5);

    private readonly VaultNodes nodes;
    private readonly VaultSession session;
    private readonly TimeProvider clock;
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> versions = new(StringComparer.Ordinal);

    public VaultClient(VaultAccess access, TimeProvider clock)
    {
        this.clock = clock;
        nodes = new VaultNodes(access, clock);
        session = new VaultSession(access.Login, nodes, access.Timeout, clock);
    }

    /// <summary>The newest version of a secret.</summary>
    /// <param name="path">Below the mount, without escapes.</param>
    /// <param name="readable">What a policy must let this server read, for the words: the path, or one with a star.</param>
    public async ValueTask<VaultAnswer> ReadAsync(string mount, string path, string readable, CancellationToken ct)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            var held = await session.TakeAsync(ct);
            if (held.Token is null)
                return new VaultAnswer.Unavailable(held.Problem!);
            var request = $"{VaultPath.Escape(mount)}/data/{VaultPath.Escape(path)}";
            switch (await nodes.AskAsync(HttpMethod.Get, request, body: null, held.Token, ct))
            {
                case WebAnswer.Failed(var reason):
                    return new VaultAnswer.Unavailable(reason);
                case WebAnswer.Answered(200, { } json, _):
                    return Read(mount, json);
                case WebAnswer.Answered(404, { } json, _):
                    return await JudgeNothingAsync(mount, json, held, ct);
                case WebAnswer.Answered(403, _, _) when isFirst && session.Drop(held):
                    break; // the token may have been taken away: once more, with another one
                case WebAnswer.Answered(403, _, _):
                    return await JudgeRefusalAsync(mount, readable, held, ct);
                case WebAnswer.Answered(200 or 404, _, var problem):
                    return new VaultAnswer.Unavailable(problem!);
                case WebAnswer.Answered(var status, _, _):
                    return new VaultAnswer.Unavailable(VaultNodes.Words(status));
            }
        }
    }

    public void Dispose()
    {
        session.Dispose();
        nodes.Dispose();
    }

    private static VaultAnswer Read(string mount, JsonElement json)
    {
        if (!json.TryGetProperty("data", out var version) || version.ValueKind != JsonValueKind.Object
            || !version.TryGetProperty("metadata", out _) || !version.TryGetProperty("data", out var data))
            return IsVersion1(mount);
        return data.ValueKind == JsonValueKind.Object ? new VaultAnswer.Found(data) : VaultAnswer.Nothing.Instance;
    }

    private static VaultAnswer.Unavailable IsVersion1(string mount) =>
        new($"the engine at {mount}/ is KV of version 1; this needs version 2: vault kv enable-versioning {mount}/");

    /// <summary>
    /// 404: there is no secret, or its newest version is deleted or destroyed. An engine of version 1 and a path without any engine say the
    /// same of everything, so what is mounted there is asked for now and then.
    /// </summary>
    private async ValueTask<VaultAnswer> JudgeNothingAsync(string mount, JsonElement json, VaultSession.Held held, CancellationToken ct)
    {
        if (json.TryGetProperty("data", out var version)
            && version.ValueKind == JsonValueKind.Object
            && version.TryGetProperty("metadata", out _))
            return VaultAnswer.Nothing.Instance;
        lock (gate)
        {
            if (versions.TryGetValue(mount, out var at) && clock.GetElapsedTime(at) < KnownFor)
                return VaultAnswer.Nothing.Instance;
        }

        var answer = await nodes.AskAsync(
            HttpMethod.Get, $"sys/internal/ui/mounts/{VaultPath.Escape(mount)}", body: null, held.Token, ct);
        if (answer is WebAnswer.Answered(200, { } known, _)
            && known.TryGetProperty("data", out var engine)
            && engine.ValueKind == JsonValueKind.Object)
        {
            if (AccountJson.Text(engine, "type") is not ("kv" or "generic"))
                return new VaultAnswer.Unavailable($"the engine at {mount}/ is none of keys and values (KV)");
            if (!engine.TryGetProperty("options", out var options) || options.ValueKind != JsonValueKind.Object
                || AccountJson.Text(options, "version") != "2")
                return IsVersion1(mount);
        }
        else if (HasWords(json, "no handler for route") || HasWords(json, "unsupported path"))
        {
            return new VaultAnswer.Unavailable($"no engine is mounted at {mount}/: vault secrets enable -path={mount} -version=2 kv");
        }

        lock (gate)
            versions[mount] = clock.GetTimestamp();
        return VaultAnswer.Nothing.Instance;
    }

    private async ValueTask<VaultAnswer> JudgeRefusalAsync(string mount, string readable, VaultSession.Held held, CancellationToken ct) =>
        await session.IsKnownAsync(held, ct) is false
            ? new VaultAnswer.Unavailable("the token is not known there, or its time is over (403)")
            : new VaultAnswer.Unavailable(
                $"permission denied (403): its policy needs path \"{mount}/data/{readable}\" {{ capabilities = [\"read\"] }}");

    private static bool HasWords(JsonElement json, string words) =>
        json.TryGetProperty("errors", out var errors)
        && errors.ValueKind == JsonValueKind.Array
        && errors.EnumerateArray().Any(
            error => error.ValueKind == JsonValueKind.String && error.GetString()!.Contains(words, StringComparison.Ordinal));
}

/// <summary>What Vault says of a secret.</summary>
public abstract record VaultAnswer
{
    private VaultAnswer()
    {
    }

    /// <param name="Data">Its fields: an object.</param>
    public sealed record Found(JsonElement Data) : VaultAnswer
    {
        /// <summary>Nothing of what is there.</summary>
        public override string ToString() => nameof(Found);
    }

    /// <summary>There is no such secret, or its newest version is deleted or destroyed.</summary>
    public sealed record Nothing : VaultAnswer
    {
        private Nothing()
        {
        }

        public static Nothing Instance { get; } = new();
    }

    /// <param name="Reason">For whoever has to mend it; it holds no secret.</param>
    public sealed record Unavailable(string Reason) : VaultAnswer;
}
