using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Dkim;

/// <summary>Writes a DKIM-Signature field (RFC 6376 §3.5, §3.7).</summary>
internal static class SignatureField
{
    /// <summary>The field as it stands above the message, with its CRLF.</summary>
    /// <param name="by">The domain, the selector and the key.</param>
    /// <param name="names">The tag <c>h=</c>.</param>
    /// <param name="fields">The fields of <paramref name="names"/> as they are signed.</param>
    /// <param name="bodyHash">SHA-256 of the body as it is signed.</param>
    /// <param name="at">The tag <c>t=</c>.</param>
    public static string Write(
        ActiveKey by, List<string> names, ReadOnlySpan<byte> fields, ReadOnlySpan<byte> bodyHash, DkimOptions how, DateTimeOffset at)
    {
        var text = new FoldedText("DKIM-Signature:");
        text.Word("v=1;");
        text.Word($"a={by.Key.Algorithm.SignatureWord()};");
        text.Word($"c={Word(how.Header)}/{Word(how.Body)};");
        text.Word($"d={by.Domain};");
        text.Word($"s={by.Selector};");
        text.Word(string.Create(CultureInfo.InvariantCulture, $"t={at.ToUnixTimeSeconds()};"));
        text.Names(names);
        text.Word($"bh={Convert.ToBase64String(bodyHash)};");
        text.Word("b=");

        var signed = new ArrayBufferWriter<byte>(fields.Length + text.Length);
        signed.Write(fields);
        CanonicalField.Write(signed, Encoding.ASCII.GetBytes(text.ToString()), how.Header);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(signed.WrittenSpan, hash);
        text.Letters(Convert.ToBase64String(by.Key.Sign(hash)));
        return text.End();
    }

    private static string Word(DkimCanonicalization how) => how == DkimCanonicalization.Relaxed ? "relaxed" : "simple";
}

/// <summary>A key by which mail is signed now.</summary>
/// <param name="Domain">The tag <c>d=</c>.</param>
/// <param name="Selector">The tag <c>s=</c>.</param>
internal sealed record ActiveKey(string Domain, string Selector, DkimKey Key)
{
    /// <summary>The name of the DNS record that has the public key.</summary>
    public string RecordName { get; } = DkimRecord.NameOf(Domain, Selector);
}
