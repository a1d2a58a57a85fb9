using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Sasl.Scram;

/// <summary>client-final-message (RFC 5802 §7).</summary>
/// <param name="WithoutProof">What is signed.</param>
/// <param name="Binding">The decoded <c>c=</c>: the header, then the channel binding data if any.</param>
internal sealed record ScramClientFinal(string WithoutProof, byte[] Binding, string Nonce, byte[] Proof)
{
    public static bool TryParse(string message, [NotNullWhen(true)] out ScramClientFinal? final)
    {
        final = null;
        var end = message.LastIndexOf(",p=", StringComparison.Ordinal);
        if (end < 0)
            return false;
        var parts = message[..end].Split(',');
        if (parts.Length < 2
            || !parts[0].StartsWith("c=", StringComparison.Ordinal)
            || !parts[1].StartsWith("r=", StringComparison.Ordinal))
            return false;
        if (!parts.Skip(2).All(ScramClientFirst.IsExtension)
            || !TryDecode(parts[0][2..], out var binding)
            || !TryDecode(message[(end + 3)..], out var proof))
            return false;
        final = new ScramClientFinal(message[..end], binding, parts[1][2..], proof);
        return true;
    }

    private static bool TryDecode(string text, out byte[] octets)
    {
        octets = [];
        return text.Length > 0 && Ascii.IsValid(text) && StrictBase64.TryDecode(Encoding.ASCII.GetBytes(text), out octets);
    }
}
