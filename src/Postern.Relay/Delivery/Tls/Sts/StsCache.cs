using System.Collections.Concurrent;
using System.Text.Json;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls.Sts;

/// <summary>
/// Policies that were fetched, kept as long as each says, over restarts too: a file for each domain. Whoever stands in between can keep a
/// policy from being found, and not take one away that is here (RFC 8461 §10.2). May be used from any thread.
/// </summary>
/// <param name="directory">Null: in memory alone.</param>
/// <param name="isReadOnly">Nothing is written.</param>
/// <param name="most">Files; further domains have none. Strangers have mail sent to domains of their choice, by reports.</param>
internal sealed class StsCache(
    string? directory, TimeProvider clock, IAuditLog? audit = null, bool isReadOnly = false, int most = StsCache.Most)
{
    private const int Most = 10_000;

    private const string Suffix = ".json";

    private readonly ConcurrentDictionary<string, StsKept?> known = new(StringComparer.Ordinal);
    private readonly Lock writing = new();
    private bool isToldOf;

    /// <summary>What is kept of a domain and still counts; null where nothing is.</summary>
    public StsKept? Find(Domain domain)
    {
        if (!known.TryGetValue(domain.Text, out var kept))
        {
            if (known.Count >= most)
                known.Clear();
            known[domain.Text] = kept = Read(domain.Text);
        }

        return kept is not null && kept.Until > clock.GetUtcNow() ? kept : null;
    }

    public void Put(Domain domain, StsKept kept)
    {
        known[domain.Text] = kept;
        if (directory is null || isReadOnly)
            return;
        try
        {
            lock (writing)
                Write(domain.Text, kept);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell($"the policy of {domain} is not kept over a restart: {e.Message}");
        }
    }

    /// <summary>Every domain with a policy that still counts.</summary>
    public IReadOnlyList<(Domain Domain, StsKept Kept)> All()
    {
        var found = new List<(Domain, StsKept)>();
        var names = directory is not null && Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory, $"*{Suffix}").Select(static f => Path.GetFileNameWithoutExtension(f))
            : known.Keys;
        foreach (var name in names.Take(most))
        {
            if (Domain.TryParse(name, out var domain) && domain.Text == name && Find(domain) is { } kept)
                found.Add((domain, kept));
        }

        return found;
    }

    private StsKept? Read(string domain)
    {
        if (directory is null)
            return null;
        var file = FileOf(domain);
        try
        {
            return StsKept.Parse(File.ReadAllBytes(file));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException
            or InvalidOperationException or KeyNotFoundException)
        {
            Tell($"{file} cannot be read, so the policy of {domain} is fetched again: {e.Message}");
            return null;
        }
    }

    private void Write(string domain, StsKept kept)
    {
        Directory.CreateDirectory(directory!);
        var file = FileOf(domain);
        if (!File.Exists(file) && !MakeRoom())
            return;
        var next = $"{file}.next";
        File.WriteAllBytes(next, kept.ToJson());
        File.Move(next, file, overwrite: true);
    }

    /// <summary>Removes what has run out, where there is much.</summary>
    private bool MakeRoom()
    {
        var files = Directory.GetFiles(directory!);
        if (files.Length < most)
            return true;
        var removed = 0;
        foreach (var file in files)
        {
            if (Read(Path.GetFileNameWithoutExtension(file)) is { } kept && kept.Until > clock.GetUtcNow())
                continue;
            File.Delete(file);
            removed++;
        }

        return removed > 0;
    }

    private string FileOf(string domain) => Path.Combine(directory!, domain + Suffix);

    private void Tell(string words)
    {
        if (isToldOf)
            return;
        isToldOf = true;
        audit?.Append(new ServerEvent(clock.GetUtcNow(), "mta_sts_cache", words));
    }
}

/// <summary>One policy that was fetched.</summary>
/// <param name="Id">Of the TXT record that announced it.</param>
/// <param name="UsedAt">When mail for the domain last asked for it; an hour or so is not noted.</param>
internal sealed record StsKept(StsPolicy Policy, string Id, DateTimeOffset FetchedAt, DateTimeOffset UsedAt)
{
    public DateTimeOffset Until => FetchedAt + Policy.MaxAge;

    public byte[] ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("id", Id);
            json.WriteString("mode", WordOf(Policy.Mode));
            json.WriteNumber("max_age", (long)Policy.MaxAge.TotalSeconds);
            json.WriteStartArray("mx");
            foreach (var pattern in Policy.Mx)
                json.WriteStringValue(pattern);
            json.WriteEndArray();
            json.WriteString("fetched", FetchedAt);
            json.WriteString("used", UsedAt);
            json.WriteEndObject();
        }

        return text.ToArray();
    }

    public static StsKept Parse(byte[] text)
    {
        using var json = JsonDocument.Parse(text);
        var root = json.RootElement;
        return new StsKept(
            new StsPolicy(
                root.GetProperty("mode").GetString() switch
                {
                    "enforce" => StsMode.Enforce,
                    "testing" => StsMode.Testing,
                    "none" => StsMode.None,
                    _ => throw new FormatException("an unknown mode"),
                },
                TimeSpan.FromSeconds(root.GetProperty("max_age").GetInt64()),
                [.. root.GetProperty("mx").EnumerateArray().Select(static m => m.GetString() ?? throw new FormatException("no name"))]),
            root.GetProperty("id").GetString() ?? throw new FormatException("no id"),
            root.GetProperty("fetched").GetDateTimeOffset(),
            root.GetProperty("used").GetDateTimeOffset());
    }

    public static string WordOf(StsMode mode) => mode switch
    {
        StsMode.Enforce => "enforce",
        StsMode.Testing => "testing",
        _ => "none",
    };
}
