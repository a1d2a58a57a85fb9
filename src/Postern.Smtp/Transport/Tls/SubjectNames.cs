using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// The names in a certificate's subjectAltName (RFC 5280 §4.2.1.6). The CN is never looked at: a certificate without that extension has
/// no names. A name with anything but visible ASCII is none.
/// </summary>
internal readonly record struct SubjectNames(ImmutableArray<string> Dns, ImmutableArray<string> Email, ImmutableArray<IPAddress> Addresses)
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private static readonly Asn1Tag EmailTag = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag DnsTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag AddressTag = new(TagClass.ContextSpecific, 7);
    private static readonly SubjectNames None = new([], [], []);

    public static SubjectNames Of(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == SubjectAlternativeName)
                return Read(extension.RawData);
        }

        return None;
    }

    private static SubjectNames Read(byte[] extension)
    {
        var dns = ImmutableArray.CreateBuilder<string>();
        var email = ImmutableArray.CreateBuilder<string>();
        var addresses = ImmutableArray.CreateBuilder<IPAddress>();
        try
        {
            for (var names = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence(); names.HasData;)
            {
                var tag = names.PeekTag();
                var list = tag.HasSameClassAndValue(DnsTag) ? dns : tag.HasSameClassAndValue(EmailTag) ? email : null;
                if (tag.HasSameClassAndValue(AddressTag) && names.ReadOctetString(tag) is { Length: 4 or 16 } address)
                    addresses.Add(new IPAddress(address));
                else if (list is null && !tag.HasSameClassAndValue(AddressTag))
                    names.ReadEncodedValue();
                else if (list is not null
                    && names.ReadCharacterString(UniversalTagNumber.IA5String, tag) is { Length: > 0 } name
                    && !name.AsSpan().ContainsAnyExceptInRange('!', '~'))
                    list.Add(name);
            }
        }
        catch (AsnContentException)
        {
            return None;
        }

        return new SubjectNames(dns.ToImmutable(), email.ToImmutable(), addresses.ToImmutable());
    }
}
