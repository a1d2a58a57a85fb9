using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Dkim.Verification;
using Postern.Smtp.Message;

namespace Postern.Relay.Dkim.Arc;

/// <summary>Writes the three fields of a new set (RFC 8617 §4.1).</summary>
/// <param name="by">The domain, the selector and the key.</param>
/// <param name="at">The tag <c>t=</c>.</param>
internal sealed class ArcSet(int instance, ActiveKey by, DateTimeOffset at)
{
    private const DkimCanonicalization How = DkimCanonicalization.Relaxed;

    /// <summary>ARC-Authentication-Results: what was found out about the message here, in the words of RFC 8601.</summary>
    /// <param name="host">This server, as its other results name it.</param>
    public string Results(string host, ImmutableArray<DkimResult> dkim, ArcVerdict chain, IPAddress? client)
    {
        var parts = new List<string> { string.Create(CultureInfo.InvariantCulture, $"i={instance};"), $"{host};" };
        if (dkim.IsEmpty)
            parts.Add("dkim=none;");
        foreach (var (signature, result, why) in dkim)
        {
            parts.Add($"dkim={result.ToString().ToLowerInvariant()}");
            if (why is not null)
                parts.Add($"({why})");
            if (signature is not null)
            {
                parts.Add($"header.d={signature.Domain}");
                parts.Add($"header.s={signature.Selector}");
                parts.Add($"header.a={signature.Algorithm.SignatureWord()}");
                parts.Add($"header.b={Value(signature.Start)}");
            }

            parts[^1] += ";";
        }

        parts.Add($"arc={chain.Word}");
        if (chain is ArcVerdict.Fail(var broken))
            parts.Add($"({broken})");
        if (client is not null)
            parts.Add($"smtp.remote-ip={(client.AddressFamily == AddressFamily.InterNetworkV6 ? $"\"{client}\"" : client)}");
        var text = new StringBuilder();
        HeaderField.Append(text, ArcChain.ResultsName, [.. parts]);
        return text.ToString();
    }

    /// <summary>ARC-Message-Signature.</summary>
    /// <param name="names">The tag <c>h=</c>.</param>
    /// <param name="fields">The fields of <paramref name="names"/> as they are signed.</param>
    public string MessageSignature(IReadOnlyList<string> names, ReadOnlySpan<byte> fields, ReadOnlySpan<byte> bodyHash)
    {
        var text = Begin(ArcChain.MessageSignatureName);
        text.Word("c=relaxed/relaxed;");
        Sign(text);
        text.Names(names);
        text.Word($"bh={Convert.ToBase64String(bodyHash)};");
        text.Word("b=");
        return End(text, fields);
    }

    /// <summary>ARC-Seal.</summary>
    /// <param name="before">The sets before this one, as they are signed; empty where the chain has failed (§5.1.2).</param>
    public string Seal(ArcVerdict chain, ReadOnlySpan<byte> before, string results, string messageSignature)
    {
        var text = Begin(ArcChain.SealName);
        text.Word($"cv={chain.Word};");
        Sign(text);
        text.Word("b=");
        var signed = new ArrayBufferWriter<byte>(before.Length + 4096);
        signed.Write(before);
        foreach (var field in (string[])[results, messageSignature])
        {
            CanonicalField.Write(signed, Encoding.ASCII.GetBytes(field), How);
            signed.Write("\r\n"u8);
        }

        return End(text, signed.WrittenSpan);
    }

    private FoldedText Begin(string name)
    {
        var text = new FoldedText($"{name}:");
        text.Word(string.Create(CultureInfo.InvariantCulture, $"i={instance};"));
        text.Word($"a={by.Key.Algorithm.SignatureWord()};");
        return text;
    }

    private void Sign(FoldedText text)
    {
        text.Word($"d={by.Domain};");
        text.Word($"s={by.Selector};");
        text.Word(string.Create(CultureInfo.InvariantCulture, $"t={at.ToUnixTimeSeconds()};"));
    }

    private string End(FoldedText text, ReadOnlySpan<byte> before)
    {
        var signed = new ArrayBufferWriter<byte>(before.Length + text.Length);
        signed.Write(before);
        CanonicalField.Write(signed, Encoding.ASCII.GetBytes(text.ToString()), How);
        text.Letters(Convert.ToBase64String(by.Key.Sign(SHA256.HashData(signed.WrittenSpan))));
        return text.End();
    }

    /// <summary>A token as it is; what base64 has beside letters needs quotes (RFC 2045 §5.1).</summary>
    private static string Value(string base64) => base64.AsSpan().ContainsAny('/', '=') ? $"\"{base64}\"" : base64;
}
