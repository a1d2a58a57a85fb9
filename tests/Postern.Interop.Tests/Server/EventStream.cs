using System.Text.Json;

namespace Postern.Interop.Tests.Server;

/// <summary>The events that the server writes, one JSON object a line. A test waits for the one it needs; those already seen count.</summary>
internal sealed class EventStream
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly List<JsonElement> seen = [];
    private readonly List<(Func<JsonElement, bool> IsWanted, TaskCompletionSource<JsonElement> Found)> waiting = [];

    /// <summary>Reads until the writer closes.</summary>
    public async Task ReadAsync(TextReader lines)
    {
        while (await lines.ReadLineAsync() is { } line)
        {
            using var document = JsonDocument.Parse(line);
            Add(document.RootElement.Clone());
        }
    }

    public Task<JsonElement> LoginAsync(string user, string outcome) =>
        NextAsync(e => Is(e, "event", "login") && Is(e, "user", user) && Is(e, "outcome", outcome));

    public Task<JsonElement> DeliveryAsync(string recipient, string outcome) =>
        NextAsync(e => Is(e, "event", "delivery") && Is(e, "recipient", recipient) && Is(e, "outcome", outcome));

    private static bool Is(JsonElement element, string key, string value) => element.TryGetProperty(key, out var found) && found.ValueEquals(value);

    private Task<JsonElement> NextAsync(Func<JsonElement, bool> isWanted)
    {
        lock (gate)
        {
            foreach (var element in seen)
            {
                if (isWanted(element))
                    return Task.FromResult(element);
            }

            var found = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add((isWanted, found));
            return found.Task.WaitAsync(Patience);
        }
    }

    private void Add(JsonElement element)
    {
        lock (gate)
        {
            seen.Add(element);
            foreach (var waiter in waiting.Where(w => w.IsWanted(element)).ToArray())
            {
                waiter.Found.SetResult(element);
                waiting.Remove(waiter);
            }
        }
    }
}
