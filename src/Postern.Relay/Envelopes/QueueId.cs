using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Postern.Relay.Envelopes;

/// <summary>
/// The name of one message in the spool: 48 bits of milliseconds since 1970 and 80 random bits, written as 26 letters and
/// digits that sort by arrival (Crockford base 32). No part of it comes from the network.
/// </summary>
public readonly record struct QueueId : IComparable<QueueId>
{
    /// <summary>The length of the text form.</summary>
    public const int TextLength = 26;

    private const string Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int RandomBits = 80;

    private static readonly long LastMillisecond = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    public QueueId(UInt128 value) => Value = value;

    public UInt128 Value { get; }

    /// <summary>When it was made; the end of all time for one that a person made up.</summary>
    public DateTimeOffset CreatedAt =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Min((long)(Value >> RandomBits), LastMillisecond));

    public static QueueId New(TimeProvider clock)
    {
        Span<byte> random = stackalloc byte[RandomBits / 8];
        RandomNumberGenerator.Fill(random);
        UInt128 value = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds() & 0xFFFF_FFFF_FFFF;
        foreach (var octet in random)
            value = (value << 8) | octet;
        return new QueueId(value);
    }

    /// <summary>Reads the text form, in either case; false for anything else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out QueueId id)
    {
        id = default;
        if (text is not { Length: TextLength } || text[0] > '7')
            return false;
        UInt128 value = 0;
        foreach (var c in text)
        {
            var digit = Digits.IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal);
            if (digit < 0)
                return false;
            value = (value << 5) | (uint)digit;
        }

        id = new QueueId(value);
        return true;
    }

    public int CompareTo(QueueId other) => Value.CompareTo(other.Value);

    public override string ToString() => string.Create(TextLength, Value, static (chars, value) =>
    {
        for (var i = TextLength - 1; i >= 0; i--)
        {
            chars[i] = Digits[(int)(value & 31)];
            value >>= 5;
        }
    });
}
