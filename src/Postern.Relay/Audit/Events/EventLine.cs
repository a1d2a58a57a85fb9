using System.Collections.Immutable;
using System.Text.Json;

namespace Postern.Relay.Audit.Events;

/// <summary>
/// Reads the fields of a line. What is missing and must be there, or is of another type, throws; <see cref="AuditEvents.Read"/> takes that
/// for no event.
/// </summary>
internal readonly struct EventLine(JsonElement line)
{
    public DateTimeOffset At => Time("at");

    public EventOrigin Origin => new(Text("session"), Text("listener"), Text("client"))
    {
        Helo = Maybe("helo"),
        User = Maybe("user"),
        Port = MaybeNumber("port"),
        Tls = Maybe("tls"),
        Cipher = Maybe("cipher"),
        Sni = Maybe("sni"),
        Tenant = Maybe("tenant"),
    };

    public string Text(string name) => line.GetProperty(name).GetString() ?? throw new FormatException(name);

    public string? Maybe(string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;

    public int Count(string name) => line.GetProperty(name).GetInt32();

    public long Number(string name) => line.GetProperty(name).GetInt64();

    public int? MaybeNumber(string name) => line.TryGetProperty(name, out var value) ? value.GetInt32() : null;

    public long? MaybeLong(string name) => line.TryGetProperty(name, out var value) ? value.GetInt64() : null;

    public DateTimeOffset Time(string name) => line.GetProperty(name).GetDateTimeOffset();

    public DateTimeOffset? MaybeTime(string name) => line.TryGetProperty(name, out var value) ? value.GetDateTimeOffset() : null;

    /// <summary>A value of a closed list.</summary>
    public T Word<T>(string name)
        where T : struct, Enum => EventWord.Parse<T>(Text(name));

    public T? MaybeWord<T>(string name)
        where T : struct, Enum => Maybe(name) is { } word ? EventWord.Parse<T>(word) : null;

    /// <summary>Empty where there is no such list.</summary>
    public ImmutableArray<string> List(string name) =>
        line.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(static item => item.GetString()!)] : [];

    public ImmutableArray<T> List<T>(string name, Func<EventLine, T> read) =>
        [.. line.GetProperty(name).EnumerateArray().Select(item => read(new EventLine(item)))];

    /// <summary>An item of a list (<see cref="EventFields.Rows"/>).</summary>
    public string TextAt(int item) => line[item].GetString() ?? throw new FormatException("null is no text");

    /// <summary>The same; it may be null.</summary>
    public string? MaybeAt(int item) => line[item].GetString();

    /// <summary>The items that are lists, from one on.</summary>
    public IEnumerable<EventLine> ListFrom(int item) => line.EnumerateArray().Skip(item).Select(static list => new EventLine(list));

    /// <summary>The same; null behind the end.</summary>
    public long? NumberAt(int item) =>
        item < line.GetArrayLength() && line[item] is { ValueKind: not JsonValueKind.Null } number ? number.GetInt64() : null;

    /// <summary>The same; 0 behind the end.</summary>
    public int CountAt(int item) => item < line.GetArrayLength() ? line[item].GetInt32() : 0;

    /// <summary>What <see cref="EventFields.Changes"/> wrote; empty where there is nothing.</summary>
    public ImmutableArray<AdminChange> Changes(string name) =>
        line.TryGetProperty(name, out var changes)
            ? [.. changes.EnumerateObject()
                .Select(static change => new AdminChange(change.Name, change.Value[0].GetString(), change.Value[1].GetString()))]
            : [];
}
