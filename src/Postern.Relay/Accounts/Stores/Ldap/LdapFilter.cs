using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Text;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// A search filter (RFC 4515) in which <c>@user</c> stands for the name. It is read once, and goes out in BER (RFC 4511 §4.5.1.7): the
/// name is put into a value there and never becomes a part of the text, so nothing in it has to be escaped.
/// </summary>
internal abstract record LdapFilter
{
    public const string Parameter = "@user";

    /// <summary>Active Directory's rule that follows groups within groups.</summary>
    public const string InChain = "1.2.840.113556.1.4.1941";

    private const int MostLevels = 32;

    private LdapFilter()
    {
    }

    /// <summary>What holds of every entry.</summary>
    public static LdapFilter Anything { get; } = new Present("objectClass");

    public abstract void Write(AsnWriter writer, string user);

    /// <summary>The attributes that are compared with the name, each with the texts around it.</summary>
    public virtual IEnumerable<(string Attribute, string Before, string After)> NameTests => [];

    /// <summary>One value, such as the DN of a member.</summary>
    /// <param name="rule">The matching rule; null for the attribute's own.</param>
    public static LdapFilter Is(string attribute, string value, string? rule = null) =>
        rule is null
            ? new Compare(Choice.Equal, attribute, [new Piece(Encoding.UTF8.GetBytes(value))])
            : new Extensible(attribute, rule, [new Piece(Encoding.UTF8.GetBytes(value))]);

    public static LdapFilter AnyOf(params ReadOnlySpan<LdapFilter> parts) => new Set(Choice.Or, [.. parts]);

    /// <param name="problem">What is wrong with it, as the end of a sentence.</param>
    public static LdapFilter? Parse(string text, out string? problem)
    {
        var at = 0;
        var filter = ParseOne(text.Trim(), ref at, 0, out problem);
        if (filter is null)
            return null;
        if (at != text.Trim().Length)
            problem = "something stands behind its last bracket: write (&(…)(…)) for all of several, (|(…)(…)) for any";
        else if (!filter.NameTests.Any())
            problem = $"it does not ask for the user: write the name as {Parameter}, such as (uid={Parameter})";
        return problem is null ? filter : null;
    }

    private static LdapFilter? ParseOne(string text, ref int at, int level, out string? problem)
    {
        problem = null;
        if (at >= text.Length || text[at] != '(')
            problem = "a part of it does not begin with '(', such as (uid=@user)";
        else if (level > MostLevels)
            problem = "it has too many brackets in each other";
        else if (at + 1 < text.Length && text[at + 1] is '&' or '|' or '!')
            return ParseSet(text, ref at, level, out problem);
        else
            return ParseItem(text, ref at, out problem);
        return null;
    }

    private static LdapFilter? ParseSet(string text, ref int at, int level, out string? problem)
    {
        var sign = text[at + 1];
        at += 2;
        problem = null;
        var parts = ImmutableArray.CreateBuilder<LdapFilter>();
        while (at < text.Length && text[at] == '(')
        {
            if (ParseOne(text, ref at, level + 1, out problem) is not { } part)
                return null;
            parts.Add(part);
        }

        if (at >= text.Length || text[at] != ')')
            problem = "a bracket is opened in it and never closed";
        else if (parts.Count == 0 || (sign == '!' && parts.Count > 1))
            problem = sign == '!' ? "'!' stands before one part, such as (!(uid=x))" : $"there is nothing behind '{sign}'";
        else if (sign == '!' && parts[0].NameTests.Any())
            problem = $"{Parameter} stands behind '!', which finds everybody else";
        at++;
        return problem is not null ? null
            : sign == '!' ? new Not(parts[0])
            : new Set(sign == '&' ? Choice.And : Choice.Or, parts.ToImmutable());
    }

    private static LdapFilter? ParseItem(string text, ref int at, out string? problem)
    {
        var end = text.IndexOf(')', at);
        var item = end < 0 ? string.Empty : text[(at + 1)..end];
        at = end + 1;
        var equal = item.IndexOf('=', StringComparison.Ordinal);
        problem = end < 0 ? "a bracket is opened in it and never closed"
            : item.Contains('(', StringComparison.Ordinal)
                ? "there is a bracket within a part of it: write \\28 for '(' and \\29 for ')' in a value"
            : equal < 1 ? "a part of it is not (attribute=value)"
            : null;
        if (problem is not null)
            return null;
        var (left, value) = (item[..equal], item[(equal + 1)..]);
        var kind = left[^1] switch
        {
            '>' => Choice.AtLeast,
            '<' => Choice.AtMost,
            '~' => Choice.Alike,
            ':' => Choice.Extended,
            _ => Choice.Equal,
        };
        var attribute = kind == Choice.Equal ? left : left[..^1];
        string? rule = null;
        if (kind == Choice.Extended && attribute.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon)
            (attribute, rule) = (attribute[..colon], attribute[(colon + 1)..]);
        if (!IsAttribute(attribute) || (rule is not null && !IsAttribute(rule)))
            problem = "a part of it does not begin with the name of an attribute";
        else if (kind == Choice.Equal && value == "*")
            return new Present(attribute);
        else if (kind == Choice.Equal && value.Contains('*', StringComparison.Ordinal))
            return ParsePattern(attribute, value, out problem);
        else if (kind != Choice.Equal && value.Contains(Parameter, StringComparison.Ordinal))
            problem = $"{Parameter} stands where more than one name fits: write ({attribute}={Parameter})";
        else if (Pieces(value, out problem) is { } pieces)
            return kind == Choice.Extended ? new Extensible(attribute, rule, pieces) : new Compare(kind, attribute, pieces);
        return null;
    }

    /// <summary>A pattern around the name would find those whose names only begin with it.</summary>
    private static Pattern? ParsePattern(string attribute, string value, out string? problem)
    {
        problem = value.Contains(Parameter, StringComparison.Ordinal)
            ? $"'*' stands beside {Parameter}, which finds users of other names: write ({attribute}={Parameter})"
            : null;
        var parts = ImmutableArray.CreateBuilder<ImmutableArray<Piece>>();
        foreach (var part in problem is null ? value.Split('*') : [])
        {
            if (Pieces(part, out problem) is not { } pieces)
                return null;
            parts.Add(pieces);
        }

        return problem is null ? new Pattern(attribute, parts.ToImmutable()) : null;
    }

    /// <summary>The octets of a value, and the places of the name. A backslash stands before two hexadecimal digits.</summary>
    private static ImmutableArray<Piece>? Pieces(string value, out string? problem)
    {
        problem = null;
        var pieces = ImmutableArray.CreateBuilder<Piece>();
        var octets = new List<byte>();
        for (var at = 0; at < value.Length;)
        {
            if (string.CompareOrdinal(value, at, Parameter, 0, Parameter.Length) == 0)
            {
                pieces.Add(new Piece([.. octets]));
                pieces.Add(Piece.Name);
                octets.Clear();
                at += Parameter.Length;
            }
            else if (value[at] == '\\')
            {
                if (LdapDn.HexOctet(value, at + 1) is not { } octet)
                {
                    problem = "a backslash in it does not stand before two hexadecimal digits, such as \\2a for '*'";
                    return null;
                }

                octets.Add(octet);
                at += 3;
            }
            else
            {
                var length = char.IsHighSurrogate(value[at]) && at + 1 < value.Length ? 2 : 1;
                octets.AddRange(Encoding.UTF8.GetBytes(value, at, length));
                at += length;
            }
        }

        pieces.Add(new Piece([.. octets]));
        if (pieces.Count > 3)
            problem = $"{Parameter} stands in one value twice";
        return problem is null ? pieces.ToImmutable() : null;
    }

    /// <summary>A name, or numbers with dots; with options behind a semicolon (RFC 4512 §2.5).</summary>
    private static bool IsAttribute([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 }
        && char.IsAsciiLetterOrDigit(text[0])
        && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ';');

    private static Asn1Tag Tag(Choice kind, bool isConstructed = true) => new(TagClass.ContextSpecific, (int)kind, isConstructed);

    /// <summary>Octets that stand there, or the name.</summary>
    private sealed record Piece(byte[]? Octets)
    {
        public static Piece Name { get; } = new((byte[]?)null);

        public static byte[] Join(ImmutableArray<Piece> pieces, string user) =>
            [.. pieces.SelectMany(piece => piece.Octets ?? Encoding.UTF8.GetBytes(user))];
    }

    /// <summary>By their tags in BER.</summary>
    private enum Choice
    {
        And = 0,
        Or = 1,
        Not = 2,
        Equal = 3,
        Substrings = 4,
        AtLeast = 5,
        AtMost = 6,
        Present = 7,
        Alike = 8,
        Extended = 9,
    }

    private sealed record Set(Choice Kind, ImmutableArray<LdapFilter> Parts) : LdapFilter
    {
        public override IEnumerable<(string Attribute, string Before, string After)> NameTests =>
            Parts.SelectMany(static part => part.NameTests);

        public override void Write(AsnWriter writer, string user)
        {
            using (writer.PushSetOf(Tag(Kind)))
            {
                foreach (var part in Parts)
                    part.Write(writer, user);
            }
        }
    }

    private sealed record Not(LdapFilter Part) : LdapFilter
    {
        public override void Write(AsnWriter writer, string user)
        {
            using (writer.PushSequence(Tag(Choice.Not)))
                Part.Write(writer, user);
        }
    }

    private sealed record Present(string Attribute) : LdapFilter
    {
        public override void Write(AsnWriter writer, string user) =>
            writer.WriteOctetString(Encoding.UTF8.GetBytes(Attribute), Tag(Choice.Present, isConstructed: false));
    }

    private sealed record Compare(Choice Kind, string Attribute, ImmutableArray<Piece> Value) : LdapFilter
    {
        public override IEnumerable<(string Attribute, string Before, string After)> NameTests =>
            Value.IndexOf(Piece.Name) is > 0 and var at ? [(Attribute, TextOf(Value[at - 1]), TextOf(Value[at + 1]))] : [];

        public override void Write(AsnWriter writer, string user)
        {
            using (writer.PushSequence(Tag(Kind)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(Attribute));
                writer.WriteOctetString(Piece.Join(Value, user));
            }
        }

        private static string TextOf(Piece piece) => Encoding.UTF8.GetString(piece.Octets!);
    }

    private sealed record Pattern(string Attribute, ImmutableArray<ImmutableArray<Piece>> Parts) : LdapFilter
    {
        public override void Write(AsnWriter writer, string user)
        {
            using (writer.PushSequence(Tag(Choice.Substrings)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(Attribute));
                using (writer.PushSequence())
                {
                    for (var i = 0; i < Parts.Length; i++)
                    {
                        var octets = Piece.Join(Parts[i], user);
                        var place = i == 0 ? 0 : i == Parts.Length - 1 ? 2 : 1;
                        if (octets.Length > 0)
                            writer.WriteOctetString(octets, new Asn1Tag(TagClass.ContextSpecific, place));
                    }
                }
            }
        }
    }

    private sealed record Extensible(string Attribute, string? Rule, ImmutableArray<Piece> Value) : LdapFilter
    {
        public override void Write(AsnWriter writer, string user)
        {
            using (writer.PushSequence(Tag(Choice.Extended)))
            {
                if (Rule is not null)
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(Rule), new Asn1Tag(TagClass.ContextSpecific, 1));
                writer.WriteOctetString(Encoding.UTF8.GetBytes(Attribute), new Asn1Tag(TagClass.ContextSpecific, 2));
                writer.WriteOctetString(Piece.Join(Value, user), new Asn1Tag(TagClass.ContextSpecific, 3));
            }
        }
    }
}
