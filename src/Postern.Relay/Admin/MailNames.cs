using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Admin;

/// <summary>Reads domains and addresses that an operator typed; an international domain name becomes its ASCII form (RFC 5891).</summary>
internal static class MailNames
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <summary>The canonical domain; not an address literal.</summary>
    public static bool TryDomain(string text, [NotNullWhen(true)] out string? canonical)
    {
        canonical = TryAscii(text, out var ascii) && Domain.TryParse(ascii, out var domain) && domain.Literal is null ? domain.Text : null;
        return canonical is not null;
    }

    /// <summary>The canonical address.</summary>
    public static bool TryAddress(string text, [NotNullWhen(true)] out string? canonical)
    {
        canonical = null;
        var at = text.LastIndexOf('@');
        if (at < 0 || !TryAscii(text[(at + 1)..], out var domain) || !Mailbox.TryParse($"{text[..at]}@{domain}", out var mailbox))
            return false;
        canonical = mailbox.Canonical;
        return true;
    }

    private static bool TryAscii(string text, [NotNullWhen(true)] out string? ascii)
    {
        ascii = text;
        if (Ascii.IsValid(text))
            return true;
        try
        {
            ascii = Idn.GetAscii(text);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
