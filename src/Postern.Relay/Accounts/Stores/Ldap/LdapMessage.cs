using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Text;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// Messages of LDAP in BER (RFC 4511): those that this client sends, and those that a server answers with, as far as they are looked at.
/// </summary>
internal abstract record LdapMessage
{
    /// <summary>Of one message, with its header. An entry with 10,000 groups has a tenth of it.</summary>
    public const int MaxOctets = 4 << 20;

    private const string StartTlsName = "1.3.6.1.4.1.1466.20037";
    private const int HeaderOctets = 6;

    private LdapMessage()
    {
    }

    /// <summary>Of the question; 0 for what the server says by itself.</summary>
    public int Id { get; private init; }

    /// <summary>The end of an answer, whatever was asked.</summary>
    public sealed record Done(LdapResult Result) : LdapMessage;

    /// <summary>One entry that a search has found.</summary>
    public sealed record Found(LdapEntry Entry) : LdapMessage;

    /// <summary>Something that is passed over, such as the name of another server that may know more: nobody is sent there.</summary>
    public sealed record Other : LdapMessage;

    /// <summary>A bind with a name and a password (§4.2). The octets hold the password.</summary>
    public static byte[] Bind(int id, string name, ReadOnlySpan<byte> password)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, 0, isConstructed: true)))
            {
                writer.WriteInteger(3);
                writer.WriteOctetString(Encoding.UTF8.GetBytes(name));
                writer.WriteOctetString(password, new Asn1Tag(TagClass.ContextSpecific, 0));
            }
        }

        var octets = writer.Encode();
        writer.Reset();
        return octets;
    }

    /// <summary>A search (§4.5.1). Aliases are not followed.</summary>
    /// <param name="user">The name that the filter asks for.</param>
    public static byte[] Search(int id, LdapSearch search, string user)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, 3, isConstructed: true)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(search.Base));
                writer.WriteEnumeratedValue(search.Scope);
                writer.WriteEnumeratedValue(Aliases.Never);
                writer.WriteInteger(search.MostEntries);
                writer.WriteInteger(search.Seconds);
                writer.WriteBoolean(false);
                search.Filter.Write(writer, user);
                using (writer.PushSequence())
                {
                    foreach (var attribute in search.Attributes)
                        writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                }
            }
        }

        return writer.Encode();
    }

    /// <summary>That the next octets are of TLS (§4.14).</summary>
    public static byte[] StartTls(int id)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, 23, isConstructed: true)))
                writer.WriteOctetString(Encoding.ASCII.GetBytes(StartTlsName), new Asn1Tag(TagClass.ContextSpecific, 0));
        }

        return writer.Encode();
    }

    /// <summary>
    /// How many octets the message has that begins here, with its header: null where that cannot be said yet. Negative for what is none,
    /// or is longer than <see cref="MaxOctets"/>.
    /// </summary>
    public static int? Measure(ReadOnlySpan<byte> octets)
    {
        if (octets.Length < 2)
            return octets.IsEmpty || octets[0] == 0x30 ? null : -1;
        if (octets[0] != 0x30)
            return -1;
        if (octets[1] < 0x80)
            return 2 + octets[1];
        var more = octets[1] - 0x80;
        if (more is 0 or > sizeof(int))
            return -1;
        if (octets.Length < 2 + more)
            return null;
        Span<byte> length = stackalloc byte[sizeof(int)];
        length.Clear();
        octets.Slice(2, more).CopyTo(length[(sizeof(int) - more)..]);
        return BinaryPrimitives.ReadUInt32BigEndian(length) is <= MaxOctets - HeaderOctets and var size ? 2 + more + (int)size : -1;
    }

    /// <exception cref="AsnContentException">It is no message of LDAP.</exception>
    public static LdapMessage Read(ReadOnlyMemory<byte> octets)
    {
        var message = new AsnReader(octets, AsnEncodingRules.BER).ReadSequence();
        if (!message.TryReadInt32(out var id) || id < 0)
            throw new AsnContentException("a message without a number");
        var tag = message.PeekTag();
        if (tag.TagClass != TagClass.Application)
            throw new AsnContentException("a message without an operation");
        return tag.TagValue switch
        {
            1 or 5 or 24 => new Done(ReadResult(message.ReadSequence(tag))) { Id = id },
            4 => new Found(ReadEntry(message.ReadSequence(tag))) { Id = id },
            _ => new Other { Id = id },
        };
    }

    private static LdapResult ReadResult(AsnReader result)
    {
        var code = 0;
        var octets = result.ReadEnumeratedBytes().Span;
        if (octets.Length > sizeof(int) - 1)
            throw new AsnContentException("a result of a kind that cannot be");
        foreach (var octet in octets)
            code = (code << 8) | octet;
        result.ReadOctetString();
        return new LdapResult((LdapCode)code, Encoding.UTF8.GetString(result.ReadOctetString()));
    }

    private static LdapEntry ReadEntry(AsnReader entry)
    {
        var dn = Encoding.UTF8.GetString(entry.ReadOctetString());
        var attributes = ImmutableDictionary.CreateBuilder<string, ImmutableArray<byte[]>>(StringComparer.OrdinalIgnoreCase);
        for (var list = entry.ReadSequence(); list.HasData;)
        {
            var attribute = list.ReadSequence();
            var type = Encoding.UTF8.GetString(attribute.ReadOctetString());
            var values = ImmutableArray.CreateBuilder<byte[]>();
            for (var set = attribute.ReadSetOf(skipSortOrderValidation: true); set.HasData;)
                values.Add(set.ReadOctetString());
            // An option, such as that of a language, makes the same attribute.
            var name = type.Split(';')[0];
            attributes[name] = attributes.TryGetValue(name, out var others) ? [.. others, .. values] : values.ToImmutable();
        }

        return new LdapEntry(dn, attributes.ToImmutable());
    }

    private enum Aliases
    {
        Never = 0,
    }
}

/// <summary>What is searched for.</summary>
/// <param name="MostEntries">More are an answer without the rest.</param>
/// <param name="Seconds">How long the server may search.</param>
internal sealed record LdapSearch(
    string Base, LdapScope Scope, LdapFilter Filter, ImmutableArray<string> Attributes, int MostEntries, int Seconds);

/// <summary>Where is searched, by its number in a message.</summary>
internal enum LdapScope
{
    /// <summary>The base itself.</summary>
    Base = 0,

    /// <summary>What stands directly below the base.</summary>
    One = 1,

    /// <summary>The base and all below it.</summary>
    Sub = 2,
}
