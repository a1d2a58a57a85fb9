using System.Buffers;
using System.Buffers.Text;
using Postern.Sasl;

namespace Postern.Fuzz.Targets;

/// <summary>Strict base64: it takes a text exactly when the runtime's encoder would have written it.</summary>
internal sealed class Base64Target : ITarget
{
    private readonly byte[] octets = new byte[4096];
    private readonly byte[] text = new byte[8192];

    public string Name => "base64";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of("", "AA==", "AAA=", "AAAA", "AB==", "A", "AA= =", "AAAA AAAA", "AA==AAAA", "+/+/", "-_-_", "====", "AGFsaWNlAHNlY3JldA==");

    public int MaxOctets => 1024;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var taken = StrictBase64.TryDecode(input.Span, out var decoded);
        var status = Base64.DecodeFromUtf8(input.Span, octets, out _, out var length);
        var isCanonical = status == OperationStatus.Done && Base64.EncodeToUtf8(octets.AsSpan(0, length), text, out _, out var written) == OperationStatus.Done
            && text.AsSpan(0, written).SequenceEqual(input.Span);
        BrokenException.Unless(taken == isCanonical, taken ? "only canonical base64 is taken" : "canonical base64 is taken");
        BrokenException.Unless(!taken || decoded.AsSpan().SequenceEqual(octets.AsSpan(0, length)), "it decodes to what the runtime decodes it to");

        // What is no base64 is, as octets, something to encode.
        Base64.EncodeToUtf8(input.Span, text, out _, out var encoded);
        BrokenException.Unless(StrictBase64.TryDecode(text.AsSpan(0, encoded), out var back) && back.AsSpan().SequenceEqual(input.Span), "what is encoded comes back");

        var signal = new Signal();
        signal.Add(taken);
        signal.Add((int)status);
        signal.Add(input.Length % 4);
        signal.AddSize(length);
        return new(signal.Value);
    }
}
