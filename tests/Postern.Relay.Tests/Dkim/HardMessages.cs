using System.Globalization;
using System.Text;

namespace Postern.Relay.Tests.Dkim;

/// <summary>Messages that break signatures elsewhere: each is one choice of header and one of body, the same in every run.</summary>
internal static class HardMessages
{
    private static readonly Func<Random, string>[] FromFields =
    [
        static _ => "From: lisa@example.org\r\n",
        static _ => "From: Lisa Simpson <lisa@example.org>\r\n",
        static _ => "From: \"Simpson, Lisa\" <lisa@example.org>\r\n",
        static _ => "from:\tLisa\r\n \t(a\r\n  comment)\r\n\t<lisa@Example.ORG>  \r\n",
        static _ => "FROM: =?utf-8?B?TGlzYQ==?=\r\n =?utf-8?Q?_Simpson?= <lisa@example.org>\r\n",
        static _ => "From: L\u00efsa <lisa@example.org>\r\n",
        static _ => "From: lisa@example.org,\r\n\tbart@example.org\r\n",
    ];

    private static readonly Func<Random, string>[] Fields =
    [
        static _ => "Subject: plain\r\n",
        static _ => "Subject:\r\n",
        static _ => "Subject:   \r\n",
        static _ => "SUBJECT:  spaces \t before  and   behind \t \r\n",
        static _ => "Subject: folded\r\n\tby a tab\r\n   and by spaces\r\n \t and both\r\n",
        static _ => "Subject:\r\n folded at once\r\n",
        static _ => "Subject: raw \u00e4\u00f6\u00fc\u00df octets\r\n",
        static _ => $"Subject: {new string('x', 990)}\r\n",
        static _ => $"Subject: {new string('y', 5000)}\r\n",
        static _ => "To: bart@example.net\r\n",
        static _ => "To: a@example.net,\r\n b@example.net,\r\n\tc@example.net\r\n",
        static _ => "to: undisclosed-recipients:;\r\n",
        static r => $"To: {string.Join(",\r\n ", Enumerable.Range(0, r.Next(1, 120)).Select(static i => $"user{i}@example.net"))}\r\n",
        static _ => "Cc:\tbart@example.net\t\r\n",
        static _ => "Date: Sun, 29 Nov 2026 12:00:00 +0000\r\n",
        static _ => "Date: Sun, 29 Nov 2026 12:00:00 +0000 (Coordinated\r\n Universal Time)\r\n",
        static _ => "Message-ID: <1@example.org>\r\n",
        static _ => "Message-Id:\r\n <a.very.long.one.that.stands.on.a.line.of.its.own@example.org>\r\n",
        static _ => "MIME-Version: 1.0\r\n",
        static _ => "Content-Type: text/plain; charset=utf-8\r\n",
        static _ => "Content-Type: multipart/mixed;\r\n\tboundary=\"--=_x; y\"\r\n",
        static _ => "Content-Transfer-Encoding: 8bit\r\n",
        static _ => "Reply-To: <lisa@example.org>;\r\n",
        static _ => "Sender: bart@example.org\r\n",
        static _ => "In-Reply-To: <0@example.org>\r\n",
        static r => $"References: {string.Join("\r\n ", Enumerable.Range(0, r.Next(1, 60)).Select(static i => $"<{i}@example.org>"))}\r\n",
        static _ => "List-Unsubscribe: <https://example.org/u?a=b;c=d>,\r\n <mailto:u@example.org>\r\n",
        static _ => "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        static _ => "Resent-From: bart@example.org\r\nResent-Date: Sun, 29 Nov 2026 12:01:00 +0000\r\n",
        static _ => "X-Empty:\r\nX-Colons: a:b::c\r\nX-Semicolon: b=; d=example.com;\r\n",
        static _ => "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; c=relaxed/relaxed;\r\n h=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA\r\n",
        static _ => "Authentication-Results: mx.example.com; dkim=fail\r\n",
        static r => string.Concat(Enumerable.Range(0, r.Next(1, 30)).Select(static i => string.Create(CultureInfo.InvariantCulture, $"Received: from a{i} by b{i};\r\n\tSun, 29 Nov 2026 12:00:00 +0000\r\n"))),
        static r => $"X-Large: {string.Join("\r\n ", Enumerable.Range(0, r.Next(1, 40)).Select(static _ => new string('z', 70)))}\r\n",
    ];

    private static readonly Func<Random, string>[] Lines =
    [
        static _ => "\r\n",
        static _ => "\r\n\r\n\r\n",
        static _ => " \r\n",
        static _ => "\t \t\r\n",
        static _ => "words and words\r\n",
        static _ => "spaces  and\ttabs \t in between\r\n",
        static _ => "behind the line  \t \r\n",
        static _ => "  before it\r\n",
        static _ => ".\r\n",
        static _ => "..\r\n",
        static _ => ".dot first\r\n",
        static _ => "From the start of a mailbox file\r\n",
        static _ => "Subject: not a field\r\n",
        static _ => "\u00e4\u00f6\u00fc \u0080\u00ff\u00a0 octets\r\n",
        static _ => "bare\nnewline\n",
        static _ => "bare\rreturn\r\r\n",
        static _ => "\n\r\n\r",
        static _ => "=20=\r\n",
        static _ => "b=; bh=x;\r\n",
        static r => $"{new string('w', r.Next(1000, 4_000))}\r\n",
        static r => $"{new string(' ', r.Next(100, 1500))}x\r\n",
        static r => $"{Convert.ToBase64String(Octets(r))}\r\n",
        static r => string.Concat(Enumerable.Repeat("\r\n", r.Next(1, 3000))),
        static _ => "----=_x; y\r\nContent-Type: text/html\r\n\r\n<p>hi\r\n----=_x; y--\r\n",
    ];

    /// <summary>Octets as characters, as they are stored; bare line ends among them leave as CRLF.</summary>
    public static IEnumerable<string> All(int count)
    {
        var random = new Random(8463);
        for (var i = 0; i < count; i++)
            yield return One(random);
    }

    /// <summary>
    /// The same message as RFC 5322 §3.6 wants one: with a Date, and with one field where there may be one. Some programs look at nothing else.
    /// </summary>
    public static string Complete(string message)
    {
        string[] once = ["date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject"];
        var (seen, text, isLeftOut) = (new HashSet<string>(StringComparer.Ordinal), new StringBuilder(), false);
        var end = message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 2;
        foreach (var line in message[..end].Split("\r\n")[..^1])
        {
            if (line[0] is not (' ' or '\t'))
            {
                var name = line.Split(':')[0].TrimEnd().ToLowerInvariant();
                isLeftOut = !seen.Add(name) && once.Contains(name);
            }

            if (!isLeftOut)
                text.Append(line).Append("\r\n");
        }

        return $"{(seen.Contains("date") ? string.Empty : "Date: Sun, 29 Nov 2026 12:00:00 +0000\r\n")}{text}{message[end..]}";
    }

    private static string One(Random random)
    {
        var fields = Enumerable.Range(0, random.Next(0, 14)).Select(_ => Pick(random, Fields)).ToList();
        fields.Insert(random.Next(fields.Count + 1), Pick(random, FromFields));
        var text = new StringBuilder(string.Concat(fields)).Append("\r\n");
        for (var lines = random.Next(0, 12); lines > 0; lines--)
            text.Append(Pick(random, Lines));
        return random.Next(6) switch
        {
            0 => text.Append("no line end").ToString(),
            1 => text.Append("no line end, but a space ").ToString(),
            _ => text.ToString(),
        };
    }

    private static string Pick(Random random, Func<Random, string>[] from) => from[random.Next(from.Length)](random);

    private static byte[] Octets(Random random)
    {
        var octets = new byte[random.Next(1, 500)];
        random.NextBytes(octets);
        return octets;
    }
}
