using System.Formats.Asn1;
using System.Text;
using Postern.Relay.Accounts.Stores.Ldap;

namespace Postern.Fuzz.Targets;

/// <summary>What an LDAP server answers: a message, or that it is none. And filters and names of entries, which are read from a configuration and from servers.</summary>
internal sealed class LdapTarget : ITarget
{
    public string Name => "ldap";

    public IEnumerable<byte[]> Seeds =>
    [
        [0, 0x30, 0x0c, 0x02, 0x01, 0x01, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00],
        [0, 0x30, 0x0c, 0x02, 0x01, 0x01, 0x65, 0x07, 0x0a, 0x01, 0x31, 0x04, 0x00, 0x04, 0x00],
        [0, 0x30, 0x18, 0x02, 0x01, 0x02, 0x64, 0x13, 0x04, 0x04, (byte)'d', (byte)'c', (byte)'=', (byte)'x', 0x30, 0x0b, 0x30, 0x09, 0x04, 0x02, (byte)'c', (byte)'n', 0x31, 0x03, 0x04, 0x01, (byte)'a'],
        [0, 0x30, 0x0c, 0x02, 0x01, 0x00, 0x78, 0x07, 0x0a, 0x01, 0x34, 0x04, 0x00, 0x04, 0x00],
        [0, 0x30, 0x84, 0, 0, 0, 5, 0x02, 0x01, 0x02, 0x73, 0x00],
        .. Fuzz.Seeds.Of("\u0001(|(uid=@user)(mail=@user))", "\u0001(&(a=*)(b=c*d)(!(e>=f))(g:1.2:=h)(i=@user\\2a))", "\u0002cn=a\\,b + sn=\\C3\\A4, dc=x", "\u0003lisa+\"o\" "),
    ];

    public bool TakesTranscripts => false;

    public int MaxOctets => 1500;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.Length == 0)
            return new(signal.Value);
        var rest = input[1..];
        switch (input.Span[0] & 3)
        {
            case 0:
                ReadMessage(rest, ref signal);
                break;
            case 1:
                var filter = LdapFilter.Parse(Encoding.UTF8.GetString(rest.Span), out var problem);
                BrokenException.Unless(filter is null == problem is not null, "a filter, or what is wrong with it");
                var writer = new AsnWriter(AsnEncodingRules.BER);
                filter?.Write(writer, "*)(uid=*");
                signal.Add(filter is null);
                signal.Add(writer.GetEncodedLength());
                break;
            case 2:
                var dn = LdapDn.Normalize(Encoding.UTF8.GetString(rest.Span));
                BrokenException.Unless(dn is null || LdapDn.Normalize(dn) == dn, "one form is one form");
                signal.Add(dn is null);
                break;
            default:
                var name = Encoding.UTF8.GetString(rest.Span).ToLowerInvariant();
                BrokenException.Unless(LdapDn.Normalize($"uid={LdapDn.Escape(name)},dc=x") == $"uid={LdapDn.Escape(name)},dc=x", "a value stays one value");
                break;
        }

        return new(signal.Value);
    }

    private static void ReadMessage(ReadOnlyMemory<byte> octets, ref Signal signal)
    {
        var size = LdapMessage.Measure(octets.Span);
        BrokenException.Unless(size is null or < 0 or (>= 2 and <= LdapMessage.MaxOctets), "a message is bounded");
        signal.Add(size is null ? 0 : Math.Sign(size.Value));
        if (size is not > 0 || size > octets.Length)
            return;
        try
        {
            var message = LdapMessage.Read(octets[..size.Value]);
            signal.Add(message.GetType().Name.Length);
            signal.Add(message is LdapMessage.Done { Result.WhyNotBound: null });
            signal.Add(message is LdapMessage.Found { Entry: var entry } ? entry.Attributes.Count : 0);
        }
        catch (AsnContentException)
        {
            signal.Add(true);
        }
    }
}
