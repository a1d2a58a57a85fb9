using System.Net;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Events;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Proxy;
using Postern.Testing;

namespace Postern.Smtp.Tests.Hostile;

/// <summary>Any number as anything: each place where a client or a server says one, with each text of <see cref="NumberTexts"/>.</summary>
public sealed class AnyNumberTests : ISmtpEvents
{
    private const string Login = "EHLO c\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n";
    private const string Mail = Login + "MAIL FROM:<alice@example.org>";

    private Exception? fault;

    void ISmtpEvents.OnFault(SessionState session, Exception fault) => this.fault = fault;

    [Theory]
    [InlineData(Mail + " SIZE={0}\r\n")]
    [InlineData(Mail + " BY={0};R\r\n")]
    [InlineData(Mail + " BY={0};NT\r\n")]
    [InlineData(Mail + " HOLDFOR={0}\r\n")]
    [InlineData(Mail + " HOLDUNTIL={0}-01-01T00:00:00Z\r\n")]
    [InlineData(Mail + " HOLDUNTIL=9999-12-31T23:59:{0}-14:00\r\n")]
    [InlineData(Mail + " HOLDUNTIL=0001-01-01T00:00:00+{0}:00\r\n")]
    [InlineData(Mail + " ENVID=+{0}\r\n")]
    [InlineData(Mail + " RET={0}\r\n")]
    [InlineData(Mail + "\r\nRCPT TO:<b@example.net> NOTIFY={0}\r\n")]
    [InlineData("XCLIENT PORT={0}\r\n")]
    [InlineData("XCLIENT DESTPORT={0} ADDR=192.0.2.1\r\n")]
    [InlineData("EHLO c\r\nXFORWARD PORT={0}\r\n")]
    [InlineData("EHLO [{0}.0.0.1]\r\n")]
    [InlineData("EHLO [IPv6:{0}::]\r\n")]
    [InlineData(Mail + "\r\nRCPT TO:<b@[{0}.0.0.1]>\r\n")]
    [InlineData("HELP {0}\r\n")]
    public async Task Row_225_any_number_in_a_command_has_an_answer_and_the_session_goes_on(string format)
    {
        foreach (var number in NumberTexts.All)
        {
            var heard = await PlayAsync(format.Replace("{0}", number, StringComparison.Ordinal) + "NOOP\r\nQUIT\r\n");
            Assert.True(heard.EndsWith("221 2.0.0 Bye\r\n", StringComparison.Ordinal), $"{format} with '{number}': {heard}");
        }
    }

    [Theory]
    [InlineData("BDAT {0}\r\n")]
    [InlineData("BDAT {0} LAST\r\n")]
    [InlineData("BDAT 3\r\nabcBDAT {0} LAST\r\n")]
    public async Task Row_225_any_number_as_the_size_of_a_chunk_has_an_answer(string format)
    {
        foreach (var limit in (long[])[50_000_000, long.MaxValue])
        {
            foreach (var number in NumberTexts.All)
            {
                var heard = await PlayAsync($"{Mail}\r\nRCPT TO:<b@example.net>\r\n{format.Replace("{0}", number, StringComparison.Ordinal)}abc", new SessionLimits { MessageOctets = limit });
                Assert.DoesNotContain("internal error", heard, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Row_225_any_number_as_a_port_of_a_proxy_header_is_a_port_or_none()
    {
        foreach (var number in NumberTexts.All)
        {
            var step = ProxyProtocol.Read(Encoding.UTF8.GetBytes($"PROXY TCP4 192.0.2.1 192.0.2.2 {number} 25\r\n"));
            Assert.Equal(number is "0" or "1" or "9" or "59" or "60" or "99" or "255" or "256" or "999" or "1000" or "4095" or "4096" or "9999" or "10000" or "32767" or "32768" or "65535", step.Header is not null);
        }
    }

    /// <summary>The count is looked at before the first round is made: two thousand million of them would be an hour of a core.</summary>
    [Fact]
    public void Row_226_a_server_that_asks_our_client_for_more_rounds_than_a_million_gets_none()
    {
        foreach (var mechanism in SaslClientMechanisms.All.OfType<ScramClient>().Where(static m => !m.Name.EndsWith("-PLUS", StringComparison.Ordinal)))
        {
            foreach (var number in NumberTexts.All)
            {
                using var exchange = mechanism.TryStart(new SaslClientCredentials { User = "alice", Password = new Secret("secret") })!;
                var first = Encoding.UTF8.GetString(Assert.IsType<SaslClientStep.Response>(exchange.Next(challenge: null)).Data!.Value.Span);
                var nonce = first[(first.IndexOf("r=", StringComparison.Ordinal) + 2)..];

                var step = exchange.Next(Encoding.UTF8.GetBytes($"r={nonce}x,s=AAAA,i={number}"));

                Assert.Equal(int.TryParse(number, out var count) && number.All(char.IsAsciiDigit) && count is >= 4096 and <= 1_000_000, step is SaslClientStep.Response);
            }
        }
    }

    [Fact]
    public void Row_226_any_number_in_the_challenge_of_digest_md5_is_answered()
    {
        foreach (var number in NumberTexts.All)
        {
            using var exchange = DigestMd5Client.Instance.TryStart(new SaslClientCredentials { User = "alice", Password = new Secret("secret"), Host = "x" })!;
            exchange.Next(challenge: null);
            Assert.NotNull(exchange.Next(Encoding.UTF8.GetBytes($"nonce=\"abc\",qop=\"auth\",maxbuf={number},algorithm=md5-sess,charset=utf-8")));
        }
    }

    private async Task<string> PlayAsync(string says, SessionLimits? limits = null)
    {
        var options = new SmtpListenerOptions
        {
            Name = "test", Tls = TlsMode.None, Auth = AuthMode.Always, XClientFrom = [IPNetwork.Parse("127.0.0.0/8")], XForwardFrom = [IPNetwork.Parse("127.0.0.0/8")],
        };
        var passwords = new TestPasswords("alice:secret");
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [options],
            Policy = new TestPolicy(),
            Store = new MemoryStore(),
            Events = this,
            Sasl = new SaslContext { Passwords = passwords, Grants = passwords },
            Limits = limits ?? new SessionLimits(),
        });
        await using var stream = new PieceStream(Encoding.UTF8.GetBytes(says), static () => int.MaxValue);
        await server.HoldAsync(stream, options, IPAddress.Loopback);
        Assert.Null(fault);
        return Encoding.Latin1.GetString(stream.Heard.Span);
    }
}
