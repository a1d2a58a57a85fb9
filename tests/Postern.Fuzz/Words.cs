using System.Text;

namespace Postern.Fuzz;

/// <summary>What means something to one of the parsers: verbs, keywords, delimiters, lengths at their limits.</summary>
internal static class Words
{
    public static IReadOnlyList<byte[]> Smtp { get; } =
    [
        .. new[]
        {
            "EHLO c\r\n", "HELO c\r\n", "LHLO c\r\n", "STARTTLS\r\n", "AUTH PLAIN ", "AUTH LOGIN\r\n", "MAIL FROM:<>\r\n", "MAIL FROM:<a@example.org>\r\n",
            "RCPT TO:<b@accepted.example>\r\n", "DATA\r\n", "BDAT 5\r\n", "BDAT 3 LAST\r\nabc", "BDAT 0 LAST\r\n", "RSET\r\n", "NOOP\r\n", "VRFY x\r\n", "HELP\r\n", "ETRN x\r\n",
            "XCLIENT ADDR=192.0.2.1\r\n", "XFORWARD NAME=x\r\n", "QUIT\r\n", "\r\n.\r\n", ".\r\n", "..\r\n", "*\r\n", "=", "AGFsaWNlAHNlY3JldA==", "YWxpY2U=", "c2VjcmV0",
            " SIZE=", " BODY=8BITMIME", " BODY=BINARYMIME", " SMTPUTF8", " RET=FULL", " RET=HDRS", " ENVID=", " NOTIFY=NEVER", " NOTIFY=SUCCESS,FAILURE,DELAY",
            " ORCPT=rfc822;", " AUTH=<>", " AUTH=", " BY=120;R", " HOLDFOR=60", " HOLDUNTIL=2030-01-01T00:00:00Z", " REQUIRETLS", " LAST", "FROM:", "TO:", "<", ">", "@", "\"", "\\",
            "\\\"", "@a,@b:", "%", "!", "[", "]", "[127.0.0.1]", "[IPv6:::1]", "[IPv6:", "postmaster", "a.b", "..", "+2B", "+3D", "+00", "+", "xn--nxasmq6b", "\u00e9", "\u00fc@\u00e4.example",
            "Received: x\r\n", "Subject: ", "\r\n ", "\r\n\t", ": ", ":", "250 ", "250-", "250-SIZE 1\r\n", "354 go\r\n", "421 4.3.2 x\r\n", "550 5.1.1 ", "535", "220 ", "2.0.0 ", "5.7.1",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n", "PROXY UNKNOWN\r\n", "\r\n\r\n\0\r\nQUIT\n", "GET / HTTP/1.1\r\n", "18446744073709551616", "9223372036854775807", "4294967296", "65536", "-1",
        }.Select(Encoding.UTF8.GetBytes),
        .. new[] { 63, 64, 65, 253, 254, 255, 256, 509, 510, 512, 1000, 2046, 2048 }.Select(static n => Enumerable.Repeat((byte)'a', n).ToArray()),
        [0xC0, 0x0C], [0xC0, 0x00], [0x00, 0x01, 0x00, 0x01], [0x00, 0x0F, 0x00, 0x01], [0x00, 0x05, 0x00, 0x01], [0x21, 0x11, 0x00, 0x0C], [0x20, 0x00, 0x00, 0x00], [0xFF, 0xFF],
    ];

    public static byte[] Pick(IReadOnlyList<byte[]> words, ref Draw draw) => words[draw.Below(words.Count)];

    public static IReadOnlyList<byte[]> Of(params IEnumerable<string> texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}
