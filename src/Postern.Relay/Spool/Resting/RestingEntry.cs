using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Resting;

/// <summary>
/// An entry, whole or at rest: a waiting message keeps octets and what it shares with others, a quarter of what its objects take, and the
/// objects are made again for whoever asks. Has one keeper, who frees it; used with the spool's gate held.
/// </summary>
internal readonly struct RestingEntry
{
    /// <summary>
    /// Of more recipients it stays whole: they are what it costs, and the gate is not held for as long as it takes to put them at rest.
    /// </summary>
    private const int MostRecipients = 1000;

    private readonly SpoolEntry? whole;

    /// <summary>Size and envelope, once it has been at rest. Neither ever changes.</summary>
    private readonly OctetSlabs.Cell octets;
    private readonly RestingOrigin? origin;
    private readonly StateAtRest state;

    public RestingEntry(SpoolEntry whole)
        : this(whole, octets: default, origin: null, state: default)
    {
    }

    private RestingEntry(SpoolEntry? whole, OctetSlabs.Cell octets, RestingOrigin? origin, StateAtRest state) =>
        (this.whole, this.octets, this.origin, this.state) = (whole, octets, origin, state);

    /// <summary>False for that of a message of which nothing is known any more.</summary>
    public bool IsThere => whole is not null || octets.IsThere;

    public bool IsAtRest => whole is null && octets.IsThere;

    /// <summary>Of what it has for itself at rest, the envelope.</summary>
    public int Octets => octets.Octets.Length;

    public RestingOrigin? Origin => origin;

    public RecipientState[]? SharedStates => state.Shared;

    public int Recipients => whole?.State.Recipients.Length ?? state.Recipients;

    public Standing Standing => whole is null ? state.Standing : Standing.Of(whole.State);

    public RestingEntry AtRest(RestingWords words)
    {
        if (whole is null or { Envelope.Recipients.Length: > MostRecipients })
            return this;
        return new RestingEntry(
            whole: null,
            octets.IsThere ? octets : OctetsOf(whole, words),
            origin ?? words.Origin(whole.Envelope),
            StateAtRest.Of(whole.State, words));
    }

    public RestingEntry Awake(QueueId id) => whole is null ? new RestingEntry(ToEntry(id), octets, origin, state: default) : this;

    /// <summary>At rest where it was.</summary>
    public RestingEntry With(DeliveryState changed, RestingWords words) => whole is null
        ? new RestingEntry(whole: null, octets, origin, StateAtRest.Of(changed, words))
        : new RestingEntry(whole with { State = changed }, octets, origin, state: default);

    /// <summary>Made anew where it is at rest.</summary>
    public SpoolEntry ToEntry(QueueId id) => whole ?? Read(octets.Octets, id, origin!, state);

    /// <summary>To be made into an entry when the gate is left, whatever becomes of the message meanwhile.</summary>
    public Copy ToCopy() => whole is null ? new Copy(whole: null, octets.Octets.ToArray(), origin, state) : new Copy(whole);

    /// <summary>Gives back what it has for itself. Nothing of it may be used any more, but for copies.</summary>
    public void Free() => octets.Free();

    private static SpoolEntry Read(ReadOnlySpan<byte> octets, QueueId id, RestingOrigin origin, in StateAtRest state)
    {
        var reader = new OctetReader(octets);
        var size = (long)reader.Number();
        return new SpoolEntry(EnvelopeOctets.Read(ref reader, id, origin), size, state.ToState());
    }

    private static OctetSlabs.Cell OctetsOf(SpoolEntry entry, RestingWords words)
    {
        var writer = words.Begin();
        writer.Number((ulong)entry.Size);
        EnvelopeOctets.Write(writer, entry.Envelope);
        return words.Slabs.Add(writer.Written);
    }

    /// <summary>An entry as it was once. Immutable.</summary>
    internal readonly struct Copy(SpoolEntry? whole, byte[]? octets = null, RestingOrigin? origin = null, StateAtRest state = default)
    {
        public SpoolEntry ToEntry(QueueId id) => whole ?? Read(octets, id, origin!, state);
    }
}
