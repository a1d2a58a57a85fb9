using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;

namespace Postern.Commands.Sendmail;

/// <summary>The header section of a message that is being left, and what of its body came with it.</summary>
/// <param name="section">The fields, without the blank line.</param>
/// <param name="rest">What follows.</param>
internal sealed class LetterHead(ReadOnlyMemory<byte> section, ReadOnlyMemory<byte> rest)
{
    /// <summary>More than the server takes.</summary>
    private const int MostOctets = 256 * 1024;

    private static readonly string[] Usual = ["To", "Cc", "Bcc"];
    private static readonly string[] Resent = ["Resent-To", "Resent-Cc", "Resent-Bcc"];

    public ReadOnlyMemory<byte> Section => section;

    public ReadOnlyMemory<byte> Rest => rest;

    public bool HasFrom => Has("From");

    /// <summary>Reads until the header section is whole.</summary>
    public static async ValueTask<LetterHead> ReadAsync(LetterInput input, CancellationToken ct)
    {
        using var held = new MemoryStream();
        var (lineStart, end) = (0, -1);
        while (end < 0 && held.Length <= MostOctets && await input.ReadAsync(ct) is { IsEmpty: false } part)
        {
            held.Write(part.Span);
            end = EndOf(held, ref lineStart);
        }

        var all = held.GetBuffer().AsMemory(0, (int)held.Length);
        end = end < 0 ? lineStart : end;
        // A mailbox file's line is no part of the message.
        var start = all.Span.StartsWith("From "u8) || all.Span.StartsWith(">From "u8) ? all.Span.IndexOf("\r\n"u8) + 2 : 0;
        return new LetterHead(all[start..Math.Max(start, end)], all[Math.Max(start, end)..]);
    }

    /// <summary>Adds whom the message names; false with the part of it that is no address.</summary>
    public bool TryReadRecipients(Domain host, List<Mailbox> into, out string? wrong)
    {
        wrong = null;
        var names = Resent.Any(Has) ? Resent : Usual;
        var fields = new HeaderSection(section.Span);
        while (fields.TryNext())
        {
            var name = Encoding.Latin1.GetString(fields.Name);
            if (names.Contains(name, StringComparer.OrdinalIgnoreCase)
                && !AddressList.TryRead(Encoding.UTF8.GetString(fields.Body), host, into, out wrong))
                return false;
        }

        return true;
    }

    private static int EndOf(MemoryStream held, ref int lineStart)
    {
        var octets = held.GetBuffer().AsSpan(0, (int)held.Length);
        if (lineStart == 0 && (octets.StartsWith("From "u8) || octets.StartsWith(">From "u8)))
            lineStart = octets.IndexOf("\r\n"u8) + 2;
        return HeaderSection.FindEnd(octets, ref lineStart);
    }

    private bool Has(string name)
    {
        var fields = new HeaderSection(section.Span);
        while (fields.TryNext())
        {
            if (fields.Is(name))
                return true;
        }

        return false;
    }
}
