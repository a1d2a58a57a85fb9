using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Fuzz.Targets;

/// <summary>ESMTP parameters and xtext: the walk ends, and only printable text comes out.</summary>
internal sealed class ParameterTarget : ITarget
{
    public string Name => "parameters";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of("SIZE=1 BODY=8BITMIME", "AUTH=<>", "AUTH=e+3Dmc2@example.com", "RET=HDRS ENVID=a+2Bb", "SMTPUTF8", " A=B  C ", "=", "A==", "XVERP=+=", "xverp==", "+41+4");

    public int MaxOctets => 600;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var octets = input.Span;
        var walk = new EsmtpParameters(octets);
        var (count, length) = (0, 0);
        Span<byte> decoded = stackalloc byte[64];
        while (walk.TryNext())
        {
            count++;
            length += walk.Keyword.Length + walk.Value.Length;
            BrokenException.Unless(length <= octets.Length && count <= octets.Length, "the walk over parameters ends");
            BrokenException.Unless(!walk.Keyword.ContainsAnyExceptInRange((byte)33, (byte)126), "a keyword is printable");
            BrokenException.Unless(!walk.Value.ContainsAnyInRange((byte)0, (byte)32) && !walk.Value.Contains((byte)127), "a value holds no control octet");
            // Postfix's delimiters, one of which is that sign.
            BrokenException.Unless(!walk.Value.Contains((byte)'=') || Ascii.EqualsIgnoreCase(walk.Keyword, "XVERP"u8), "a value holds no sign of equality");
            BrokenException.Unless(!walk.IsMalformed && !walk.Keyword.IsEmpty, "a parameter has a keyword");
            signal.Add(walk.HasValue);
            signal.Add(Decode(walk.Value, decoded));
        }

        signal.Add(walk.IsMalformed);
        signal.Add(Decode(octets, decoded));
        return new(signal.Value);
    }

    private static int Decode(ReadOnlySpan<byte> text, Span<byte> decoded)
    {
        if (!XText.TryDecode(text, decoded, out var length))
            return -1;
        BrokenException.Unless(!decoded[..length].ContainsAnyExceptInRange((byte)32, (byte)126), "xtext hides no control octet");
        return length > 0 ? 1 : 0;
    }
}
