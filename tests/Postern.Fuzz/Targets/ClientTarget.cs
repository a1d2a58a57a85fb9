using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// Our client against a server that says anything: greeting, EHLO, a login, a message with two recipients, QUIT. Every answer is a value, one for each
/// recipient, and the first octet chooses what the client wants.
/// </summary>
internal sealed class ClientTarget : ITarget
{
    private static readonly Domain Hostname = Domain.Parse("client.example");

    private static readonly string[][] Pinned = [["PLAIN"], ["LOGIN"], ["CRAM-MD5"], ["DIGEST-MD5"], ["SCRAM-SHA-256"], ["OAUTHBEARER"], ["XOAUTH2"]];

    public string Name => "client";

    public Reached Reached { get; } = new("opened", "logged in", "delivered", "refused", "Broken", "Unsuitable", "Abandoned", "Refused", "sent by BDAT");

    public bool TakesTranscripts => false;

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            const string Hello = "220 x ESMTP\r\n250-x\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-DSN\r\n250-AUTH PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256 OAUTHBEARER XOAUTH2\r\n250 ENHANCEDSTATUSCODES\r\n";
            const string Taken = "250 2.1.0 ok\r\n250 2.1.5 ok\r\n550 5.1.1 no\r\n354 go\r\n250 2.0.0 queued\r\n221 bye\r\n";
            var chunks = Hello.Replace("250-DSN", "250-DSN\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n250-DELIVERBY 60\r\n250-FUTURERELEASE 100 2030-01-01T00:00:00Z", StringComparison.Ordinal);
            string[] all =
            [
                $"\0{Hello}{Taken}", $"\0{chunks}250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n221 x\r\n", "\0220 x\r\n500 no\r\n250 x\r\n" + Taken, "\0421 4.3.2 no\r\n", "\0554 no\r\n",
                $"\u0010{Hello}235 2.7.0 ok\r\n{Taken}", $"\u0011{Hello}334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n{Taken}", $"\u0012{Hello}334 PDFAeD4=\r\n235 ok\r\n{Taken}",
                $"\u0013{Hello}334 {Encode("realm=\"x\",nonce=\"abc\",qop=\"auth\",algorithm=md5-sess,charset=utf-8,maxbuf=99999999999")}\r\n334 {Encode("rspauth=00000000000000000000000000000000")}\r\n235 ok\r\n",
                $"\u0014{Hello}334 \r\n334 {Encode("r=abc,s=AAAA,i=4096")}\r\n235 ok\r\n", $"\u0014{Hello}235 ok\r\n", $"\u0015{Hello}334 {Encode("{\"status\":\"invalid_token\"}")}\r\n535 5.7.8 no\r\n", $"\u0016{Hello}535 5.7.8 no\r\n{Taken}", "\u0010220 x\r\n250 x\r\n" + Taken,
                $"\u0020{chunks}{Taken}", $"\0{Hello}452 4.5.3 a\r\n452 4.5.3 b\r\n421 4.3.2 c\r\n",
            ];
            return Fuzz.Seeds.Of(all);
        }
    }

    public int MaxOctets => 2000;

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. Words.Smtp, .. Words.Of("334 ", "235 2.7.0 ok\r\n", "354 go\r\n", "250-AUTH ", "250-SIZE ", "250-DELIVERBY ", "250-FUTURERELEASE ", "250-LIMITS RCPTMAX=1 MAILMAX=1\r\n", "250-STARTTLS\r\n", "2.0.0 "),
        .. NumberTexts.All.SelectMany(static n => Words.Of($"250-SIZE {n}\r\n", $"250-FUTURERELEASE {n} x\r\n", $"250-DELIVERBY {n}\r\n", $"250-LIMITS RCPTMAX={n}\r\n", $"334 {Encode($"r=x,s=AAAA,i={n}")}\r\n")),
    ];

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        if (input.IsEmpty)
            return signal.Value;
        var wish = input.Span[0];
        var stream = new PieceStream(input[1..], Draw.From(input.Span).Sizes(input.Length), maxHeard: 40_000);
        await using var client = new SmtpClientDialogue(stream, new SmtpClientOptions { Hostname = Hostname, Tls = ClientTls.None, ServerName = "x" });
        var opened = await client.OpenAsync(CancellationToken.None);
        Note(opened, "opened", ref signal);
        if (!client.IsOpen || opened is not ClientAnswer.Accepted)
            return signal.Value;
        if ((wish & 0x10) != 0)
        {
            var login = await client.LogInAsync(
                new ClientLogin(new SaslClientCredentials { User = "alice", Password = new Secret("secret"), Token = new Secret("token"), MinIterations = 1, MaxIterations = 10_000 }) { AllowsExposure = true, Mechanisms = Pinned[(wish & 7) % Pinned.Length] },
                CancellationToken.None);
            var name = login is ClientLoginAnswer.Accepted ? "logged in" : login.GetType().Name;
            Reached.Note(name);
            signal.Add(name.Length);
            BrokenException.Unless(login is not ClientLoginAnswer.Accepted { Mechanism: "SCRAM-SHA-256" or "DIGEST-MD5" }, "a server that does not know the password proves nothing");
            if (!client.IsOpen)
                return signal.Value;
        }

        var envelope = new SmtpEnvelope(new ReversePath(Mailbox.Parse("a@example.org")), [Mailbox.Parse("b@example.net"), Mailbox.Parse("c@example.net")])
        {
            Parameters = (wish & 0x20) == 0 ? MailParameters.None : new MailParameters { Body = BodyType.BinaryMime, IsUtf8 = true, EnvelopeId = "x", HoldUntil = new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero) },
        };
        var message = new OutgoingMessage(envelope, MessageContent.From("Subject: x\r\n\r\n.\r\nbody\r\n"u8.ToArray()));
        var answers = await client.SendAsync(message, following: null, CancellationToken.None);
        BrokenException.Unless(answers.Count == 2, "every recipient has an answer");
        foreach (var answer in answers)
            Note(answer, "delivered", ref signal);
        if (stream.Heard.Span.IndexOf("BDAT "u8) >= 0)
            Reached.Note("sent by BDAT");
        await client.QuitAsync(CancellationToken.None);
        return signal.Value;
    }

    private void Note(ClientAnswer answer, string accepted, ref Signal signal)
    {
        var name = answer switch { ClientAnswer.Accepted => accepted, ClientAnswer.Refused => "refused", _ => "Broken" };
        Reached.Note(name);
        signal.Add(name.Length);
        if (answer is ClientAnswer.Broken(var phase, var fault, _))
        {
            signal.Add((int)phase);
            signal.Add((int)fault);
        }
        else if (answer is ClientAnswer.Refused { Phase: var where, Reply.Code: var code })
        {
            signal.Add((int)where);
            signal.Add(code);
        }
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
