using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Delivery.Tls.Reports;

/// <summary>
/// Sessions with mail exchangers, counted by day (UTC), domain and what they came to (RFC 8460 §4.2), in a file for each day. The file is
/// written now and then and at the end: a kill takes the last minutes. May be used from any thread.
/// </summary>
/// <param name="directory">Null: in memory alone.</param>
internal sealed class TlsCounts(string? directory, TimeProvider clock, IAuditLog? audit = null)
{
    /// <summary>Kinds of results that are told apart in a day, of all domains; further ones are only counted together.</summary>
    public const int Most = 50_000;

    /// <summary>Of them for one domain: who answers differently at each address fills its own report alone.</summary>
    public const int MostOfDomain = 200;

    private const string DayFormat = "yyyy-MM-dd";

    private readonly Lock changing = new();
    private readonly Dictionary<string, TlsTally> today = new(StringComparer.Ordinal);
    private DateOnly day;
    private long leftOut;
    private int kinds;
    private bool isChanged;
    private bool isRead;

    public void Count(TlsSubject subject, TlsFailure? failure)
    {
        lock (changing)
        {
            Turn();
            var domain = subject.Domain.Text;
            if (!today.TryGetValue(domain, out var tally))
            {
                if (kinds >= Most)
                {
                    leftOut++;
                    return;
                }

                today[domain] = tally = new TlsTally(domain, []);
            }

            isChanged = true;
            if (tally.Add(subject, failure, MostOfDomain))
                kinds++;
        }
    }

    /// <summary>Writes what has changed.</summary>
    public void Flush()
    {
        lock (changing)
        {
            Turn();
            Write();
        }
    }

    /// <summary>Days that are over and have counts.</summary>
    public IReadOnlyList<DateOnly> Past()
    {
        if (directory is null || !Directory.Exists(directory))
            return [];
        var now = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        return [.. Directory.EnumerateFiles(directory, "*.json").Select(static f => DayOf(Path.GetFileNameWithoutExtension(f)))
            .OfType<DateOnly>().Where(d => d < now).Order()];
    }

    /// <summary>The counts of a day that is over; what cannot be read is told of and given up.</summary>
    public ImmutableArray<TlsTally> Read(DateOnly past)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FileOf(past)), TlsCountsJson.Default.ImmutableArrayTlsTally);
        }
        catch (Exception e) when (e is JsonException)
        {
            Tell($"{FileOf(past)} cannot be read, and no report of that day is sent: {e.Message}");
            File.Delete(FileOf(past));
            return [];
        }
    }

    /// <summary>Keeps what is left of a day that is over; nothing left, the day is forgotten.</summary>
    public void Keep(DateOnly past, IReadOnlyCollection<TlsTally> left)
    {
        if (left.Count == 0)
            File.Delete(FileOf(past));
        else
            Replace(FileOf(past), [.. left]);
    }

    private static DateOnly? DayOf(string name) =>
        DateOnly.TryParseExact(name, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var found) ? found : null;

    private string FileOf(DateOnly of) => Path.Combine(directory!, $"{of.ToString(DayFormat, CultureInfo.InvariantCulture)}.json");

    /// <summary>Goes on with the day that it is.</summary>
    private void Turn()
    {
        var now = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        if (isRead && day == now)
            return;
        if (isRead)
            Write();
        today.Clear();
        (day, isRead, isChanged, leftOut, kinds) = (now, true, false, 0, 0);
        if (directory is null || !File.Exists(FileOf(day)))
            return;
        foreach (var tally in Read(day))
        {
            today[tally.Domain] = tally;
            kinds += tally.Policies.Sum(static p => 1 + p.Failures.Count);
        }
    }

    private void Write()
    {
        if (directory is null || !isChanged)
            return;
        try
        {
            Directory.CreateDirectory(directory);
            Replace(FileOf(day), [.. today.Values]);
            isChanged = false;
            if (leftOut > 0)
                Tell($"{leftOut} sessions of more domains than are counted in a day are in no report");
            leftOut = 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell($"what was counted for TLS reports cannot be written: {e.Message}");
        }
    }

    private static void Replace(string file, ImmutableArray<TlsTally> tallies)
    {
        var next = $"{file}.next";
        File.WriteAllBytes(next, JsonSerializer.SerializeToUtf8Bytes(tallies, TlsCountsJson.Default.ImmutableArrayTlsTally));
        File.Move(next, file, overwrite: true);
    }

    private void Tell(string words) => audit?.Append(new ServerEvent(clock.GetUtcNow(), "tls_reports", words));
}

/// <summary>What was counted of one domain in one day.</summary>
internal sealed record TlsTally(string Domain, List<TlsPolicyTally> Policies)
{
    /// <summary>True where that was a kind of result which had not been there.</summary>
    public bool Add(TlsSubject subject, TlsFailure? failure, int most)
    {
        var policy = Policies.Find(p => p.Type == subject.Type && p.Policy.SequenceEqual(subject.Policy));
        var isNew = policy is null;
        if (policy is null)
            Policies.Add(policy = new TlsPolicyTally(subject.Type, subject.Policy, subject.Hosts));
        if (failure is null)
        {
            policy.Successes++;
            return isNew;
        }

        policy.FailedSessions++;
        var same = policy.Failures.Find(f => f.Failure == failure);
        if (same is not null)
        {
            same.Sessions++;
            return isNew;
        }

        if (policy.Failures.Count >= most)
            return isNew;
        policy.Failures.Add(new TlsFailureTally(failure) { Sessions = 1 });
        return true;
    }
}

/// <summary>Of one policy of a domain.</summary>
internal sealed record TlsPolicyTally(string Type, ImmutableArray<string> Policy, ImmutableArray<string> Hosts)
{
    public long Successes { get; set; }

    public long FailedSessions { get; set; }

    public List<TlsFailureTally> Failures { get; init; } = [];
}

/// <summary>How often the same went wrong.</summary>
internal sealed record TlsFailureTally(TlsFailure Failure)
{
    public long Sessions { get; set; }
}

/// <summary>What went wrong with a session (RFC 8460 §4.4).</summary>
/// <param name="Result">In a word of §4.3.</param>
/// <param name="From">The address of this machine; null where none was connected from.</param>
/// <param name="Host">Of the receiver, as the MX record names it.</param>
/// <param name="Address">Its address; null where it was not connected to.</param>
/// <param name="Reason">In words.</param>
internal sealed record TlsFailure(string Result, string? From, string? Host, string? Address, string? Reason);

[JsonSerializable(typeof(ImmutableArray<TlsTally>))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class TlsCountsJson : JsonSerializerContext;
