using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Postern.Relay.Runtime.Instruments;

namespace Postern.Web.Health;

/// <summary>
/// <c>/livez</c>, <c>/readyz</c> and <c>/startupz</c>: 200 or 503, and a word for each reason. Nothing is asked or read to answer.
/// </summary>
internal static class HealthPage
{
    /// <summary>The answer at a path; null where none of them is.</summary>
    public static HealthAnswer? At(string path, RelayHealth health) => path switch
    {
        // A server that listens here has read its spool and bound its listeners.
        "/startupz" => new HealthAnswer(IsGood: true, []),
        "/livez" => health.IsAlive ? new HealthAnswer(IsGood: true, health.Problems) : new HealthAnswer(IsGood: false, health.Stuck),
        "/readyz" => health.IsReady ? new HealthAnswer(IsGood: true, health.Problems) : new HealthAnswer(IsGood: false, health.NotReady),
        _ => null,
    };
}

/// <summary>What a probe is told.</summary>
/// <param name="Problems">Why not; or what an operator should look at, though it is good.</param>
internal sealed record HealthAnswer(bool IsGood, ImmutableArray<string> Problems)
{
    public int Code => IsGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;

    public string Status => !IsGood ? "failed" : Problems.IsEmpty ? "ok" : "degraded";

    public async Task WriteToAsync(HttpResponse response, bool hasBody, CancellationToken ct)
    {
        response.StatusCode = Code;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        if (!hasBody)
            return;
        using var text = new MemoryStream();
        await using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("status", Status);
            if (!Problems.IsEmpty)
            {
                json.WriteStartArray("problems");
                foreach (var problem in Problems)
                    json.WriteStringValue(problem);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        response.ContentLength = text.Length;
        await response.Body.WriteAsync(text.GetBuffer().AsMemory(0, (int)text.Length), ct);
    }
}
