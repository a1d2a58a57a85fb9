using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Delivery.Tls.Dane;

/// <summary>One TLSA record that can be used (RFC 6698 §2.1, RFC 7672 §3.1).</summary>
internal sealed record TlsaRecord(TlsaUsage Usage, TlsaSelector Selector, TlsaMatching Matching, ImmutableArray<byte> Data)
{
    private const int MaxShown = 16;

    /// <summary>
    /// Those that can be used: of a usage that SMTP knows (RFC 7672 §3.1.3), well-formed, and for each usage and selector only the
    /// strongest digest (RFC 7671 §9); whole certificates and keys count beside it.
    /// </summary>
    public static ImmutableArray<TlsaRecord> Usable(IEnumerable<DnsRecord.Tlsa> published)
    {
        var known = published.Where(IsUsable)
            .Select(static r => new TlsaRecord((TlsaUsage)r.Usage, (TlsaSelector)r.Selector, (TlsaMatching)r.Matching, r.Data))
            .ToList();
        return [.. known.Where(r => r.Matching == TlsaMatching.Full
            || !known.Exists(other => other.Usage == r.Usage && other.Selector == r.Selector && other.Matching > r.Matching))];
    }

    public static bool IsUsable(DnsRecord.Tlsa record) =>
        record.Usage is (byte)TlsaUsage.Anchor or (byte)TlsaUsage.EndEntity
        && record.Selector is (byte)TlsaSelector.Certificate or (byte)TlsaSelector.Key
        && (TlsaMatching)record.Matching switch
        {
            TlsaMatching.Full => record.Data.Length > 0,
            TlsaMatching.Sha256 => record.Data.Length == SHA256.HashSizeInBytes,
            TlsaMatching.Sha512 => record.Data.Length == SHA512.HashSizeInBytes,
            _ => false,
        };

    /// <summary>Whether a certificate is what the record says; who issued it is another question.</summary>
    public bool Matches(X509Certificate2 certificate)
    {
        var selected = (Selector == TlsaSelector.Key ? CertificateKey.Of(certificate) : certificate.RawDataMemory).Span;
        if (selected.IsEmpty)
            return false;
        Span<byte> digest = stackalloc byte[SHA512.HashSizeInBytes];
        switch (Matching)
        {
            case TlsaMatching.Sha256:
                SHA256.HashData(selected, digest);
                return digest[..SHA256.HashSizeInBytes].SequenceEqual(Data.AsSpan());
            case TlsaMatching.Sha512:
                SHA512.HashData(selected, digest);
                return digest.SequenceEqual(Data.AsSpan());
            default:
                return selected.SequenceEqual(Data.AsSpan());
        }
    }

    /// <summary>The certificate that the record holds whole; null where it holds none.</summary>
    public X509Certificate2? Held()
    {
        if (this is not { Selector: TlsaSelector.Certificate, Matching: TlsaMatching.Full })
            return null;
        try
        {
            return X509CertificateLoader.LoadCertificate(Data.AsSpan());
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public override string ToString() => Text(((byte)Usage, (byte)Selector, (byte)Matching), Data);

    /// <summary>As a zone file has it.</summary>
    public static string WholeText(DnsRecord.Tlsa record) => string.Create(
        CultureInfo.InvariantCulture,
        $"{record.Usage} {record.Selector} {record.Matching} {Convert.ToHexStringLower(record.Data.AsSpan())}");

    /// <summary>As a zone file has it, its data cut.</summary>
    public static string Text((byte Usage, byte Selector, byte Matching) fields, ImmutableArray<byte> data) => string.Create(
        CultureInfo.InvariantCulture,
        $"{fields.Usage} {fields.Selector} {fields.Matching} {Convert.ToHexStringLower(data.AsSpan()[..Math.Min(data.Length, MaxShown)])}"
            + $"{(data.Length > MaxShown ? "…" : string.Empty)}");
}

/// <summary>The usages of RFC 6698 §2.1.1 that count for SMTP.</summary>
internal enum TlsaUsage : byte
{
    /// <summary>DANE-TA: an issuer of the server's certificate.</summary>
    Anchor = 2,

    /// <summary>DANE-EE: the server's certificate itself.</summary>
    EndEntity = 3,
}

internal enum TlsaSelector : byte
{
    Certificate = 0,
    Key = 1,
}

/// <summary>The greater, the stronger.</summary>
internal enum TlsaMatching : byte
{
    Full = 0,
    Sha256 = 1,
    Sha512 = 2,
}
