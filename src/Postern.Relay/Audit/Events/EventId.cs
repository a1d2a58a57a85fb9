using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Audit.Events;

/// <summary>
/// Computes <see cref="AuditEvent.Id"/>: <c>evt_</c> and 130 bits of SHA-256 over the event's name and key, in the digits of queue ids.
/// </summary>
internal static class EventId
{
    public const int Length = 30;

    private const int MostOnStack = 512;

    private const string Prefix = "evt_";
    private const string Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    public static string Of(AuditEvent audit)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var (name, key) = (audit.Name, audit.Key);
        var length = Encoding.UTF8.GetMaxByteCount(name.Length + 1 + key.Length);
        var text = length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[length];
        var written = Encoding.UTF8.GetBytes(name, text);
        text[written++] = (byte)'\n';
        written += Encoding.UTF8.GetBytes(key, text[written..]);
        SHA256.HashData(text[..written], hash);
        Span<char> id = stackalloc char[Length];
        Prefix.CopyTo(id);
        for (var (at, bit) = (Prefix.Length, 0); at < Length; at++, bit += 5)
            id[at] = Digits[(((hash[bit / 8] << 8) | hash[(bit / 8) + 1]) >> (11 - (bit % 8))) & 31];
        return new string(id);
    }
}
