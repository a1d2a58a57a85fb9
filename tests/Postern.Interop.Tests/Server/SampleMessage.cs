using System.Text;

namespace Postern.Interop.Tests.Server;

/// <summary>
/// A message that is hard to carry unchanged: a non-ASCII subject, 8-bit text, an attachment with every octet, lines that begin with
/// dots or with <c>From</c>, white space at line ends, the longest line allowed.
/// </summary>
public sealed record SampleMessage(string Recipient, byte[] Content)
{
    /// <summary>RFC 5322 §2.1.1: without the CRLF.</summary>
    private const int LongestLine = 998;

    private const int EncodedLine = 76;

    /// <summary>The words that the subject says once decoded.</summary>
    public const string Subject = "Grüße aus Köln, 3 € für Ćwikła";

    /// <summary>Every octet, several times, in an order that base64 does not repeat in its lines.</summary>
    public static byte[] Attachment { get; } = [.. Enumerable.Range(0, 5_000).Select(static i => (byte)((i * 7) + (i / 256)))];

    /// <summary>Lines end in LF, as programs that read mail from a file or a pipe want it.</summary>
    public string LfText => Encoding.UTF8.GetString(Content).Replace("\r", string.Empty, StringComparison.Ordinal);

    public static SampleMessage To(string recipient)
    {
        const string Boundary = "=_part/1:2?";
        var text = string.Join("\r\n",
            $"From: Lisa Example <{PosternServer.Sender}>",
            $"To: {recipient}",
            $"Subject: {EncodedSubject}",
            "Date: Fri, 20 Nov 2026 10:11:12 +0100",
            $"Message-ID: <{Guid.NewGuid():N}@interop.test>",
            "MIME-Version: 1.0",
            "X-Folded: first",
            "\tsecond",
            "   third",
            $"Content-Type: multipart/mixed; boundary=\"{Boundary}\"",
            string.Empty,
            "For readers without MIME.",
            $"--{Boundary}",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
            string.Empty,
            "Grüße, 8 bit wide: ∀x∈ℝ",
            ".",
            "..",
            ".hidden",
            "From here on",
            "white space at the end \t ",
            new string('x', LongestLine),
            string.Empty,
            $"--{Boundary}",
            "Content-Type: application/octet-stream; name=\"octets.bin\"",
            "Content-Disposition: attachment; filename=\"octets.bin\"",
            "Content-Transfer-Encoding: base64",
            string.Empty,
            EncodedAttachment,
            $"--{Boundary}--",
            string.Empty,
            "behind the last part",
            string.Empty);
        return new SampleMessage(recipient, Encoding.UTF8.GetBytes(text));
    }

    /// <summary>RFC 2047 encoded words, folded.</summary>
    public static string EncodedSubject =>
        string.Join("\r\n ", Subject.Chunk(10).Select(static part => $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(part))}?="));

    /// <summary>Base64 as MIME wants it (RFC 2045 §6.8).</summary>
    public static string EncodedAttachment =>
        string.Join("\r\n", Convert.ToBase64String(Attachment).Chunk(EncodedLine).Select(static line => new string(line)));
}
