using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>Walks over <c>keyword[=value]</c> parameters, one at a time (RFC 5321 §4.1.2, esmtp-param).</summary>
internal ref struct EsmtpParameters(ReadOnlySpan<byte> text)
{
    /// <summary>Its value may hold equals signs, as Postfix and its clients write it: <c>XVERP=+=</c>.</summary>
    public const string WithSigns = "XVERP";

    private ReadOnlySpan<byte> rest = text;

    public ReadOnlySpan<byte> Keyword { get; private set; }

    /// <summary>Empty when there is no <c>=</c>; see <see cref="HasValue"/>.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    public bool HasValue { get; private set; }

    /// <summary>True when a parameter broke the grammar; then <see cref="TryNext"/> has ended the walk.</summary>
    public bool IsMalformed { get; private set; }

    public bool TryNext()
    {
        rest = rest.TrimStart(CommandLine.WhiteSpace);
        if (rest.IsEmpty || IsMalformed)
            return false;
        var parameter = CommandLine.FirstWord(rest, out rest);

        var equals = parameter.IndexOf((byte)'=');
        HasValue = equals >= 0;
        Keyword = HasValue ? parameter[..equals] : parameter;
        Value = HasValue ? parameter[(equals + 1)..] : default;
        IsMalformed = !IsKeyword(Keyword) || (HasValue && !IsValue(Value, mayHaveSigns: Is(WithSigns)));
        return !IsMalformed;
    }

    public readonly bool Is(string keyword) => Ascii.EqualsIgnoreCase(Keyword, keyword);

    private static bool IsKeyword(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] == '-')
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c != '-')
                return false;
        }

        return true;
    }

    /// <summary>esmtp-value: printable, neither "=" nor space; octets above 127 are left to the parameter (RFC 6531 §3.3).</summary>
    private static bool IsValue(ReadOnlySpan<byte> text, bool mayHaveSigns) =>
        !text.IsEmpty
        && !text.ContainsAnyInRange((byte)0, (byte)32)
        && !text.Contains((byte)127)
        && (mayHaveSigns || !text.Contains((byte)'='));
}
