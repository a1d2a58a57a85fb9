using System.Diagnostics.CodeAnalysis;

namespace Postern.Relay.Accounts.Stores.Asking;

/// <summary>
/// A dictionary that forgets what nobody has asked for: when its young half is full the old one is dropped. Not safe to use from several
/// threads.
/// </summary>
/// <param name="capacity">Entries kept at most.</param>
internal sealed class HalvedMap<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private Dictionary<TKey, TValue> young = [];
    private Dictionary<TKey, TValue> old = [];

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (young.TryGetValue(key, out value))
            return true;
        if (!old.Remove(key, out value))
            return false;
        Put(key, value);
        return true;
    }

    public void Put(TKey key, TValue value)
    {
        old.Remove(key);
        if (young.Count >= Math.Max(1, capacity / 2) && !young.ContainsKey(key))
            (old, young) = (young, []);
        young[key] = value;
    }

    public bool Remove(TKey key) => young.Remove(key) | old.Remove(key);
}
