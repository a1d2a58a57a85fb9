using System.Buffers;
using System.Text;
using Postern.Smtp.Message;

namespace Postern.Relay.Dkim.Verification;

/// <summary>The fields of a header by their names, as signatures choose them (RFC 6376 §5.4.2).</summary>
internal sealed class FieldIndex
{
    private readonly Dictionary<string, List<Range>> fields = new(StringComparer.OrdinalIgnoreCase);
    private readonly ReadOnlyMemory<byte> header;

    /// <param name="header">Stays the caller's, and as it is.</param>
    public FieldIndex(ReadOnlyMemory<byte> header)
    {
        this.header = header;
        var walk = new HeaderSection(header.Span);
        while (walk.TryNext())
        {
            var name = Encoding.Latin1.GetString(walk.Name);
            if (!fields.TryGetValue(name, out var same))
                fields[name] = same = [];
            same.Add(walk.Start..walk.End);
        }
    }

    /// <summary>Fields of one name, the topmost first.</summary>
    public IReadOnlyList<Range> Of(string name) => fields.TryGetValue(name, out var same) ? same : [];

    public ReadOnlySpan<byte> this[Range field] => header.Span[field];

    /// <summary>
    /// The SHA-256 of the fields that <paramref name="signature"/> names, of each name from the last one up, and of itself without its
    /// value (RFC 6376 §3.7).
    /// </summary>
    public byte[] HashOf(MessageSignature signature)
    {
        var signed = new ArrayBufferWriter<byte>(4096);
        var taken = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in signature.Names)
        {
            var count = taken.GetValueOrDefault(name);
            if (Of(name) is not { Count: var all } same || all <= count)
                continue;
            CanonicalField.Write(signed, this[same[all - 1 - count]], signature.Header);
            signed.Write("\r\n"u8);
            taken[name] = count + 1;
        }

        CanonicalField.Write(signed, TagList.WithoutValue(this[signature.Field]), signature.Header);
        return System.Security.Cryptography.SHA256.HashData(signed.WrittenSpan);
    }
}
