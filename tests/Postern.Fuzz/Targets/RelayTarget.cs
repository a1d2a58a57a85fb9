using System.Globalization;
using System.Net;
using System.Text;
using Postern.Fuzz.Models;
using Postern.Sasl;
using Postern.Smtp.Message;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// Whole sessions against the relay: its own store and spool, accounts, policy and log. The first octet chooses the listener, the second how the
/// rest is cut. No session faults, every reply is one that the client can follow, and what was acknowledged is in the spool, whole.
/// </summary>
internal sealed class RelayTarget : ITarget
{
    private const int HeaderOctets = 2;
    private const string Mail = "EHLO c\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<b@accepted.example>\r\n";

    private readonly Lazy<RelayServer> relay = new(static () => new RelayServer());

    public string Name => "relay";

    public Reached Reached { get; } = new("220", "221", "235", "250", "252", "334", "354", "500", "501", "502", "503", "504", "530", "535", "550", "553", "554", "stored", "stored by BDAT", "logged in by CRAM-MD5", "logged in by DIGEST-MD5", "logged in by SCRAM-SHA-256", "logged in by OAUTHBEARER", "logged in by PLAIN", "refused with a bent proof");

    public IEnumerable<byte[]> Seeds =>
    [
        .. Fuzz.Seeds.Transcripts.SelectMany(static t => (byte[][])[[0, 0, .. t.Octets], [(byte)(t.Setup.Contains("lmtp", StringComparison.OrdinalIgnoreCase) ? 1 : t.Setup.Contains("starttls", StringComparison.OrdinalIgnoreCase) ? 3 : 2), 0, .. t.Octets]]),
        .. Logins().Select(static s => Session(0, s + Transaction("DATA\r\nSubject: x\r\n\r\nbody\r\n.\r\n"))),
        .. Logins().Select(static s => Session(2, s + Transaction("BDAT 6\r\nabc: x\r\n"))),
        .. Contents().Select(static c => Session(0, $"{Mail}BDAT {c.Length.ToString(CultureInfo.InvariantCulture)} LAST\r\n{c}QUIT\r\n")),
        .. Contents().Select(static c => Session(0, $"{Mail}DATA\r\n{c}\r\n.\r\nQUIT\r\n")),
        .. Contents().Select(static c => Session(1, $"{Mail.Replace("EHLO", "LHLO", StringComparison.Ordinal)}RCPT TO:<c@accepted.example>\r\nBDAT {c.Length.ToString(CultureInfo.InvariantCulture)}\r\n{c}BDAT 0 LAST\r\nQUIT\r\n")),
        Session(0, "EHLO c\r\nVRFY alice@example.org\r\nETRN accepted.example\r\nETRN @accepted.example\r\nHELP\r\nNOOP\r\nRSET\r\nQUIT\r\n"),
        Session(3, "EHLO c\r\nSTARTTLS\r\nMAIL FROM:<a@example.org>\r\n"),
        Session(0, "EHLO c\r\nMAIL FROM:<x@accepted.example> SIZE=10 BODY=BINARYMIME SMTPUTF8 RET=HDRS ENVID=+2B HOLDFOR=60 BY=120;R REQUIRETLS AUTH=<>\r\nRCPT TO:<b@accepted.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y\r\nBDAT 9 LAST\r\nTo: x\r\n\r\nyQUIT\r\n"),
    ];

    public int MaxOctets => 3000;

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. Words.Smtp,
        .. Words.Of("\u0001a\r\n", "\u0002a\r\n", "\u0003a\r\n", "\u0001c\r\n", "\u0001d\r\n", "\u0001u\r\n", "\u0001z\r\n", "AUTH CRAM-MD5\r\n\u0001a\r\n", "AUTH SCRAM-SHA-256\r\n\u0001c\r\n\u0001c\r\n\u0001c\r\n", "AUTH OAUTHBEARER\r\n\u0001a\r\n"),
        .. Words.Of("Received: from x\r\n", "From x Sun Nov 29 11:30:16 2026\r\n", ">From ", "Authentication-Results: mail.example.org; ", "Return-Path: <x@y>\r\n", "Bcc: x\r\n", "From: alice@example.org\r\n", "Sender: x@y\r\n", "Date: ", "Message-ID: <", "Resent-From: x\r\n", "MAIL FROM:<alice@example.org>", "RCPT TO:<b@accepted.example>"),
        .. NumberTexts.All.SelectMany(static n => Words.Of($" SIZE={n}", $" HOLDFOR={n}", $" BY={n};R", $"BDAT {n} LAST\r\n", $" HOLDUNTIL=2026-01-0{n}T00:00:00Z")),
    ];

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        if (input.Length < HeaderOctets)
            return 0;
        var server = relay.Value;
        var index = input.Span[0] % server.Listeners.Count;
        var largest = input.Span[1] switch { 0 => input.Length, 1 => 1, var size => size };
        using var stream = new ScriptStream(input[HeaderOctets..], Draw.From(input.Span).Sizes(largest), server.Credentials, DialogueServer.MaxOutput(input.Length + 4096));
        server.Begin();
        await server.HoldAsync(stream, index, IPAddress.Parse("192.0.2.7"));
        var said = stream.Said;
        BrokenException.Unless(server.Log.Fault is null, $"no session faults: {server.Log.Fault}");
        BrokenException.Unless(server.Log.Flaw is null, $"the log can be read: {server.Log.Flaw}");
        BrokenException.Unless(stream.Heard.Span.IndexOf("internal error"u8) < 0, "no reply is an internal error");

        var model = new ClientModel(server.Rules[index], said, stream.Heard) { OnReply = code => Reached.Note(Codes[code]) };
        var taken = await server.TakeAsync();
        model.Check();
        BrokenException.Unless(model.Contents.Count == taken.Count, $"what was acknowledged is stored, and nothing else: {model.Contents.Count} acknowledged, {taken.Count} stored");
        for (var i = 0; i < taken.Count; i++)
            Check(model.Contents[i], taken[i].Content);
        Note(said.Span, stream.Heard.Span, taken.Count > 0);
        return model.Behaviour;
    }

    private static readonly Dictionary<int, string> Codes = Enumerable.Range(200, 400).ToDictionary(static c => c, static c => c.ToString(CultureInfo.InvariantCulture));

    private void Note(ReadOnlySpan<byte> said, ReadOnlySpan<byte> heard, bool isStored)
    {
        if (isStored)
            Reached.Note(said.IndexOf("BDAT"u8) >= 0 ? "stored by BDAT" : "stored");
        var auth = said.IndexOf("AUTH "u8);
        if (auth >= 0 && heard.IndexOf("\r\n235 "u8) >= 0)
        {
            var name = said[(auth + 5)..];
            name = name[..Math.Max(0, name.IndexOfAny((byte)'\r', (byte)' '))];
            foreach (var mechanism in SaslMechanisms.All)
            {
                if (Ascii.EqualsIgnoreCase(name, mechanism.Name))
                    Reached.Note($"logged in by {mechanism.Name}");
            }
        }
        else if (auth >= 0 && heard.IndexOf("\r\n535 "u8) >= 0 && heard.IndexOf("\r\n334 "u8) >= 0)
        {
            Reached.Note("refused with a bent proof");
        }
    }

    /// <summary>Our fields stand on top, nothing breaks the header section, and the body is what was said.</summary>
    private static void Check(ReadOnlySpan<byte> content, ReadOnlySpan<byte> stored)
    {
        BrokenException.Unless(stored.StartsWith("Received: "u8) || stored.StartsWith("Authentication-Results: "u8), "a trace field stands on top");
        var end = stored.IndexOf("\r\n\r\n"u8);
        BrokenException.Unless(end > 0, "a header section has an end");
        BrokenException.Unless(!ContentModel.IsBare(stored[..end]), "no bare line end stands in the header section");
        if (content.IndexOf("\r\n\r\n"u8) is var body and >= 0)
            BrokenException.Unless(stored.EndsWith(content[body..]), "the body is stored as it came");
        var line = content[..Math.Max(0, content.IndexOf("\r\n"u8))];
        if (!line.IsEmpty && !HeaderSection.Continues(line, isFirst: true) && !line.TrimStart((byte)'>').StartsWith("From "u8))
            BrokenException.Unless(stored.EndsWith(content), "content without a header is all body");
        BrokenException.Unless(stored.Length < content.Length + 4096, "little is added");
    }

    private static string Transaction(string content) => $"MAIL FROM:<alice@example.org>\r\nRCPT TO:<b@example.net>\r\n{content}QUIT\r\n";

    private static byte[] Session(byte listener, string text) => [listener, 0, .. Encoding.UTF8.GetBytes(text)];

    private static IEnumerable<string> Logins() => from mechanism in (string[])["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256", "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2"]
        from marker in (string[])["\u0001a", "\u0001c", "\u0001d", "\u0001u", "\u0001z", "\u0002a", "\u0002c", "\u0003a", "\u0003c"]
        select $"EHLO c\r\nAUTH {mechanism}\r\n{string.Concat(Enumerable.Repeat(marker + "\r\n", mechanism is "PLAIN" or "CRAM-MD5" or "OAUTHBEARER" or "XOAUTH2" ? 1 : mechanism is "LOGIN" or "DIGEST-MD5" ? 2 : 3))}";

    private static IEnumerable<string> Contents() =>
        ["", "abc", "Subject: x", "Subject: x\r\n\r\nbody", "Subject: x\r\n folded\r\nDate: y\r\nMessage-ID: <z>\r\n\r\nbody\r\n", "Authentication-Results: mail.example.org; auth=pass\r\nReceived: x\r\n\r\n", ": x\r\n\r\n", "\r\n", "\r\n\r\n", " x\r\n", "a\r\n b", "From a@b Sun Nov 29 11:30:16 2026\r\nSubject: x\r\n\r\nbody", ">From x\r\nTo: y\r\n\r\n", "From now on\r\n\r\nx", "Return-Path: <x>\r\nBcc: y\r\nFrom: a@b, c@d\r\n\r\nz", string.Concat(Enumerable.Repeat("Received: x\r\n", 60)) + "\r\nb"];
}
