using System.Diagnostics.CodeAnalysis;

namespace Postern.Relay.Accounts.Stores;

/// <summary>A dictionary that starts anew when it is full: strangers choose many of the keys.</summary>
internal sealed class BoundedMap<TValue>(int capacity)
{
    private readonly Dictionary<string, TValue> entries = new(StringComparer.Ordinal);

    public bool TryGet(string key, [MaybeNullWhen(false)] out TValue value) => entries.TryGetValue(key, out value);

    public bool Remove(string key) => entries.Remove(key);

    public void Add(string key, TValue value)
    {
        if (entries.Count >= capacity)
            entries.Clear();
        entries[key] = value;
    }
}
