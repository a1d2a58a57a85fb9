using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Postern.Relay.Spool.Resting;

/// <summary><see cref="DeliveryState"/> at rest, but for its recipients. What few messages have takes octets only of those.</summary>
internal static class StateOctets
{
    [Flags]
    private enum Has : byte
    {
        None = 0,
        Held = 1,
        HeldByServer = 2,
        Attempts = 4,
        TriedAt = 8,
        Ended = 16,
        Reported = 32,
        Words = 64,
    }

    [Flags]
    private enum Words : byte
    {
        None = 0,
        NotReported = 1,
        Via = 2,
        Return = 4,
    }

    public static void Write(OctetWriter writer, DeliveryState state)
    {
        var words = (state.NotReported is null ? 0 : Words.NotReported)
            | (state.Via is null ? 0 : Words.Via)
            | (state.Return is null ? 0 : Words.Return);
        writer.Octet((byte)((state.Held ? Has.Held : 0)
            | (state.HeldByServerAt is null ? 0 : Has.HeldByServer)
            | (state.Attempts == 0 ? 0 : Has.Attempts)
            | (state.TriedAt is null ? 0 : Has.TriedAt)
            | (state.HasEnded ? Has.Ended : 0)
            | (state.Reported == DelayReports.None ? 0 : Has.Reported)
            | (words == Words.None ? 0 : Has.Words)));
        writer.Time(state.NextAttempt);
        if (state.Attempts != 0)
            writer.Number(state.Attempts);
        if (state.HeldByServerAt is { } heldAt)
            writer.Time(heldAt);
        if (state.TriedAt is { } triedAt)
            writer.Time(triedAt);
        if (state.Reported != DelayReports.None)
            writer.Octet((byte)state.Reported);
        if (words == Words.None)
            return;
        writer.Octet((byte)words);
        if (state.NotReported is { } notReported)
            writer.Text(notReported);
        if (state.Via is { } via)
            writer.Text(via);
        if (state.Return is { } order)
        {
            writer.Text(order.Why);
            writer.Numbers(order.Recipients.AsSpan());
        }
    }

    public static DeliveryState Read(ref OctetReader reader, RecipientState[] recipients)
    {
        var has = (Has)reader.Octet();
        var next = reader.Time();
        var state = new DeliveryState(
            has.HasFlag(Has.Attempts) ? reader.Count() : 0,
            next,
            has.HasFlag(Has.Held),
            ImmutableCollectionsMarshal.AsImmutableArray(recipients))
        {
            HeldByServerAt = has.HasFlag(Has.HeldByServer) ? reader.Time() : null,
            TriedAt = has.HasFlag(Has.TriedAt) ? reader.Time() : null,
            Reported = has.HasFlag(Has.Reported) ? (DelayReports)reader.Octet() : DelayReports.None,
            HasEnded = has.HasFlag(Has.Ended),
        };
        if (!has.HasFlag(Has.Words))
            return state;
        var words = (Words)reader.Octet();
        return state with
        {
            NotReported = words.HasFlag(Words.NotReported) ? reader.Text() : null,
            Via = words.HasFlag(Words.Via) ? reader.Text() : null,
            Return = words.HasFlag(Words.Return) ? new ReturnOrder(reader.Text(), reader.Numbers()) : null,
        };
    }

    /// <summary>Without reading the rest of it.</summary>
    public static Standing StandingOf(ReadOnlySpan<byte> octets)
    {
        var has = (Has)octets[0];
        var next = BinaryPrimitives.ReadUInt64LittleEndian(octets[1..]) & ~OctetWriter.HasOffset;
        return new Standing(
            (long)next, has.HasFlag(Has.Attempts), has.HasFlag(Has.Held), has.HasFlag(Has.HeldByServer), has.HasFlag(Has.Ended));
    }
}

/// <summary>What of a state says where its message stands in the order of what is due.</summary>
/// <param name="Next">When its state says that it is due, in UTC ticks.</param>
/// <param name="IsTried">There was an attempt.</param>
/// <param name="IsHeld">By an operator or by the server.</param>
/// <param name="IsByServer">It says when the server held it.</param>
/// <param name="HasEnded">Its delivery is over.</param>
internal readonly record struct Standing(long Next, bool IsTried, bool IsHeld, bool IsByServer, bool HasEnded)
{
    public static Standing Of(DeliveryState state) =>
        new(state.NextAttempt.UtcTicks, state.Attempts != 0, state.Held, state.HeldByServerAt is not null, state.HasEnded);
}
