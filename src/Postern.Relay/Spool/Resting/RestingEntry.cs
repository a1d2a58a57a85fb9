using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Resting;

/// <summary>
/// An entry, whole or at rest: a waiting message keeps octets and what it shares with others, a quarter of what its objects take, and the
/// objects are made again for whoever asks. Immutable.
/// </summary>
/// <param name="form">The <see cref="SpoolEntry"/>, or the octets of one: state, size, envelope.</param>
internal readonly struct RestingEntry(object form, RestingOrigin? origin, RecipientState[]? states)
{
    public bool IsAtRest => form is byte[];

    /// <summary>Of what is at rest: the octets that it has for itself.</summary>
    public object Form => form;

    public RestingOrigin? Origin => origin;

    public RecipientState[]? States => states;

    public int Recipients => states?.Length ?? ((SpoolEntry)form).State.Recipients.Length;

    public Standing Standing => form is byte[] octets ? StateOctets.StandingOf(octets) : Standing.Of(((SpoolEntry)form).State);

    public static RestingEntry Of(SpoolEntry entry, RestingWords words)
    {
        var writer = words.Begin();
        StateOctets.Write(writer, entry.State);
        writer.Number((ulong)entry.Size);
        EnvelopeOctets.Write(writer, entry.Envelope);
        return new RestingEntry(writer.ToArray(), words.Origin(entry.Envelope), words.States(entry.State));
    }

    /// <summary>At rest where it was.</summary>
    public RestingEntry With(DeliveryState state, RestingWords words)
    {
        if (form is not byte[] octets)
            return new RestingEntry((SpoolEntry)form with { State = state }, origin: null, states: null);
        var reader = new OctetReader(octets);
        StateOctets.Read(ref reader, states!);
        var writer = words.Begin();
        StateOctets.Write(writer, state);
        writer.Copy(reader.Rest);
        return new RestingEntry(writer.ToArray(), origin, words.States(state));
    }

    /// <summary>Made anew where it is at rest.</summary>
    public SpoolEntry ToEntry(QueueId id)
    {
        if (form is not byte[] octets)
            return (SpoolEntry)form;
        var reader = new OctetReader(octets);
        var state = StateOctets.Read(ref reader, states!);
        var size = (long)reader.Number();
        return new SpoolEntry(EnvelopeOctets.Read(ref reader, id, origin!), size, state);
    }
}
