using System.Net;
using System.Runtime.InteropServices;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Resting;

/// <summary>
/// What very many waiting messages have in common, kept once: where they came from, and what their destinations answered; and the memory
/// for what each has for itself. Guarded by the spool's gate.
/// </summary>
internal sealed class RestingWords
{
    // When they are all different, nothing is gained by remembering more.
    private const int Most = 20_000;

    private readonly OctetWriter writer = new();
    private readonly Dictionary<RestingOrigin, RestingOrigin> origins = [];
    private readonly Dictionary<RecipientState, RecipientState[]> states = [];

    public OctetSlabs Slabs { get; } = new();

    /// <summary>How many are remembered.</summary>
    public int Count => origins.Count + states.Count;

    /// <summary>To gather octets in, from the beginning.</summary>
    public OctetWriter Begin()
    {
        writer.Clear();
        return writer;
    }

    public RestingOrigin Origin(Envelope envelope)
    {
        var origin = new RestingOrigin(envelope.Login, envelope.Client, envelope.Listener, envelope.Tenant);
        if (origins.TryGetValue(origin, out var known))
            return known;
        Keep(origins, origin, origin);
        return origin;
    }

    /// <summary>The states of recipients, to be changed by nobody.</summary>
    public RecipientState[] States(DeliveryState state)
    {
        var mine = ImmutableCollectionsMarshal.AsArray(state.Recipients)!;
        if (mine is [var only])
            return Alone(only);
        var shared = new RecipientState[mine.Length];
        for (var i = 0; i < mine.Length; i++)
            shared[i] = Alone(mine[i])[0];
        return shared;
    }

    private RecipientState[] Alone(RecipientState state)
    {
        if (states.TryGetValue(state, out var known))
            return known;
        Keep(states, state, known = [state]);
        return known;
    }

    /// <summary>What is forgotten lasts as long as a message has it.</summary>
    private static void Keep<TKey, TValue>(Dictionary<TKey, TValue> known, TKey key, TValue value)
        where TKey : notnull
    {
        if (known.Count == Most)
            known.Clear();
        known.Add(key, value);
    }
}

/// <summary>Where a message came from, as <see cref="Envelope"/> has it.</summary>
internal sealed record RestingOrigin(string? Login, IPAddress? Client, string? Listener, string? Tenant);
