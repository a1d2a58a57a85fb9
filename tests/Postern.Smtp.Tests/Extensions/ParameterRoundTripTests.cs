using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Sasl;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;
using ByParameter = Postern.Smtp.Session.DeliverBy;

namespace Postern.Smtp.Tests.Extensions;

/// <summary>What the client side writes, the server side reads back as it was.</summary>
public sealed class ParameterRoundTripTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<string> Printable = Gen.Choose(' ', '~').Select(static c => (char)c).ArrayOf().Where(static c => c.Length is > 0 and < 30).Select(static c => new string(c));

    private static readonly Gen<string> International =
        Gen.Elements("aZ9@\\+= é用\U0001F600{}x.".EnumerateRunes().Select(static r => r.ToString()).ToArray()).ArrayOf().Where(static c => c.Length is > 0 and < 20).Select(string.Concat);

    [Fact]
    public void Mail_parameters_are_read_as_they_were_written()
    {
        var gen =
            from size in Gen.OneOf(Gen.Constant<long?>(null), Gen.Choose(0, 50_000_000).Select(static n => (long?)n))
            from body in Gen.Elements(Enum.GetValues<BodyType>())
            from utf8 in Gen.Elements(true, false)
            from ret in Gen.Elements(Enum.GetValues<DsnReturn>())
            from id in Gen.OneOf(Gen.Constant<string?>(null), Printable.Select(static s => (string?)s))
            from auth in Gen.Elements<ReversePath?>(null, ReversePath.Null, new ReversePath(Mailbox.Parse("e=mc2@example.com")), new ReversePath(Mailbox.Parse("\"a + b\"@example.com")))
            from tls in Gen.Elements(true, false)
            from seconds in Gen.Choose(60, 999_999_999)
            from mode in Gen.Choose(0, 4)
            from verp in Gen.Elements(null, VerpDelimiters.Usual, new VerpDelimiters('=', '='), new VerpDelimiters('-', '+'))
            from hold in Gen.OneOf(Gen.Constant<DateTimeOffset?>(null), Gen.Choose(-100_000, 600_000_000).Select(static ms => (DateTimeOffset?)Now.AddMilliseconds(ms)))
            select new MailParameters
            {
                DeclaredSize = size,
                Body = body,
                IsUtf8 = utf8,
                Return = ret,
                EnvelopeId = id,
                SubmittedBy = auth,
                RequiresTls = tls,
                Verp = verp,
                DeliverBy = mode == 4 ? null : new ByParameter(TimeSpan.FromSeconds(mode >= 2 ? -seconds : seconds), IsNotify: mode >= 2, IsTrace: mode % 2 == 1),
                HoldUntil = hold,
            };
        Prop.ForAll(gen.ToArbitrary(), Gen.Choose(-9, 9).ToArbitrary(), static (said, priority) =>
        {
            var written = said with { Others = ParameterValues.None.With("mt-priority", priority.ToString(CultureInfo.InvariantCulture)) };
            Assert.True(ParameterText.TryRead(ParameterText.Of(written), out MailParameters? read) && read == written, ParameterText.Of(written));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
        var session = ToldEverything();
        Prop.ForAll(gen.ToArbitrary(), written =>
        {
            var text = ParameterText.ForNextHop(written, static _ => true);
            var read = MailParameters.None;
            var objection = ParameterReader.Read(session, Encoding.ASCII.GetBytes(text.TrimStart()), session.Capabilities.MailParameters, ref read);
            Assert.True(objection is null && read == written, $"{text}: {objection} {read}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void Recipient_parameters_are_read_as_they_were_written()
    {
        var gen =
            from notify in Gen.Choose(0, 8)
            from isUtf8 in Gen.Elements(true, false)
            from address in isUtf8 ? International : Printable
            from has in Gen.Elements(true, false)
            select new RecipientParameters
            {
                Notify = notify == 8 ? DsnNotify.Never : (DsnNotify)(notify << 1),
                OriginalRecipient = has ? new OriginalRecipient(isUtf8 ? "utf-8" : "rfc822", address) : null,
            };
        Prop.ForAll(gen.ToArbitrary(), static written => Assert.True(ParameterText.TryRead(ParameterText.Of(written), out RecipientParameters? read) && read == written, ParameterText.Of(written)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500));
        var session = ToldEverything();
        Prop.ForAll(gen.ToArbitrary(), written =>
        {
            var text = ParameterText.ForNextHop(written, static _ => true);
            var read = RecipientParameters.None;
            var objection = ParameterReader.Read(session, Encoding.ASCII.GetBytes(text.TrimStart()), session.Capabilities.RecipientParameters, ref read);
            Assert.True(objection is null && read == written, $"{text}: {objection} {read}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void Nothing_is_written_that_the_peer_does_not_offer()
    {
        var mail = new MailParameters { DeclaredSize = 1, Body = BodyType.BinaryMime, IsUtf8 = true, EnvelopeId = "x", RequiresTls = true, SubmittedBy = ReversePath.Null };
        var rcpt = new RecipientParameters { Notify = DsnNotify.Never, OriginalRecipient = new OriginalRecipient("rfc822", "a@b") };
        Assert.Equal(string.Empty, ParameterText.ForNextHop(mail, static _ => false));
        Assert.Equal(string.Empty, ParameterText.ForNextHop(rcpt, static _ => false));
        Assert.Equal(" ENVID=x", ParameterText.ForNextHop(mail, static keyword => keyword == "DSN"));
    }

    [Theory]
    [InlineData("XPRIVATE=1")]
    [InlineData("MT-PRIORITY=10")]
    [InlineData("MT-PRIORITY=+3x")]
    [InlineData("BODY=9BIT")]
    [InlineData("RET=FULL RET=FULL")]
    [InlineData("ENVID=a\u00e9")]
    [InlineData("ENVID=a\r\nX: 1")]
    public void What_no_extension_writes_is_not_read_back(string text) => Assert.False(ParameterText.TryRead(text, out MailParameters? _));

    /// <summary>Row 61: whoever makes them, from the wire, from the spool or by hand.</summary>
    [Theory]
    [InlineData("a\r\nb")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("a\u0085b")]
    [InlineData("a\ud800b")]
    public void Row_61_values_cannot_hold_a_line_end(string text)
    {
        Assert.Throws<FormatException>(() => new MailParameters { EnvelopeId = text });
        Assert.Throws<FormatException>(() => new OriginalRecipient("rfc822", text));
        Assert.Throws<FormatException>(() => new OriginalRecipient("utf-8", text));
        Assert.Throws<FormatException>(() => new OriginalRecipient(text, "a@b"));
        Assert.Throws<FormatException>(() => XText.Encode(text));
    }

    /// <summary>A session that was told everything: EHLO, TLS and a login.</summary>
    private static SmtpSession ToldEverything()
    {
        var options = new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always, XVerpFrom = [IPNetwork.Parse("127.0.0.0/8")] };
        var passwords = new TestPasswords("alice:secret");
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [options],
            Policy = new TestPolicy(),
            Store = new MemoryStore(),
            Sasl = new SaslContext { Passwords = passwords },
            Clock = new ManualClock(Now),
        });
        var state = new SessionState
        {
            Id = "1",
            Listener = "test",
            Hostname = "mail.example.org",
            ClientAddress = IPAddress.Loopback,
            IsExtended = true,
            Trust = PeerTrust.XVerp,
            Tls = new TlsFacts(SslProtocols.Tls13, "x", ServerName: null),
            Identity = new SaslIdentity("alice", "alice"),
        };
        return new SmtpSession(server.ServiceOf(options), new SmtpTransport(Stream.Null, socket: null), state);
    }
}
