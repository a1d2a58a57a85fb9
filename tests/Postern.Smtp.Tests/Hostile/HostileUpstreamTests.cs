using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Tests.Client;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Hostile;

/// <summary>What a server that we log in to may try: it learns no password, its word is not taken, and nothing it does lasts.</summary>
public sealed class HostileUpstreamTests
{
    private const string Password = "correct horse battery staple";

    private static readonly ClientLogin Lisa = new(new SaslClientCredentials { User = "lisa", Password = new Secret(Password) });

    private static SmtpClientOptions Options(ClientTls tls, bool isTrusted) => new()
    {
        Hostname = Domain.Parse("client.test"),
        ServerName = "localhost",
        Tls = tls,
        VerifyCertificate = (_, _, _, _) => isTrusted,
        Timeouts = new SmtpTimeouts { Command = TimeSpan.FromSeconds(10), Quit = TimeSpan.FromMilliseconds(300) },
    };

    private static SinkOptions Server(string mechanisms, Func<SinkPhase, string, SinkAction?> script, bool isTls = true) => new()
    {
        Certificate = isTls ? TestCertificate.Instance : null,
        Extensions = [$"AUTH {mechanisms}"],
        Script = (phase, line, _) => script(phase, line),
    };

    private static SinkAction Challenge(string text) => new SinkAction.Reply("334 " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    private static async Task<(ClientLoginAnswer Answer, IReadOnlyList<string> Said)> LogInAsync(SinkOptions server, ClientTls tls = ClientTls.Required, bool isTrusted = true)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using var sink = new ScriptedSink(server);
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options(tls, isTrusted));
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(patience.Token));
        var answer = await dialogue.LogInAsync(Lisa, patience.Token);
        Assert.Null(dialogue.Mechanism);
        var isOver = answer is ClientLoginAnswer.Abandoned or ClientLoginAnswer.Broken;
        Assert.Equal(!isOver, dialogue.IsOpen);
        Assert.DoesNotContain(Password, answer.ToString(), StringComparison.Ordinal);
        return (answer, [.. sink.Transcript(0).Where(static l => l is ['C', ..])]);
    }

    [Theory]
    [InlineData(ClientTls.None, false, "PLAIN would show the secret: the connection has no TLS")]
    [InlineData(ClientTls.Opportunistic, false, "PLAIN would show the secret: the connection has no TLS")]
    [InlineData(ClientTls.Opportunistic, true, "PLAIN would show the secret: the server's certificate did not verify")]
    public async Task Row_27_a_server_that_offers_only_plain_learns_no_password_without_a_certificate_that_verifies(ClientTls tls, bool isTls, string reason)
    {
        var (answer, said) = await LogInAsync(Server("PLAIN LOGIN", static (_, _) => null, isTls), tls, isTrusted: false);

        Assert.Equal(reason, Assert.IsType<ClientLoginAnswer.Unsuitable>(answer).Reason);
        Assert.DoesNotContain(said, static l => l.StartsWith("C: AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Row_27_a_login_that_is_allowed_in_clear_is_allowed_by_name_of_a_property()
    {
        await using var sink = new ScriptedSink(Server("PLAIN", static (_, _) => null, isTls: false));
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options(ClientTls.None, isTrusted: false));
        await dialogue.OpenAsync(CancellationToken.None);

        Assert.IsType<ClientLoginAnswer.Accepted>(await dialogue.LogInAsync(Lisa with { AllowsExposure = true }, CancellationToken.None));
    }

    /// <summary>Row 19: what was offered in clear does not count under TLS.</summary>
    [Fact]
    public async Task Row_19_mechanisms_offered_before_starttls_are_forgotten()
    {
        var hellos = 0;
        var (answer, said) = await LogInAsync(Server("PLAIN", (phase, _) => phase == SinkPhase.Ehlo && ++hellos == 2 ? new SinkAction.Reply("250-sink.test\r\n250 SIZE") : null));

        Assert.Equal("the server offers no AUTH", Assert.IsType<ClientLoginAnswer.Unsuitable>(answer).Reason);
        Assert.DoesNotContain(said, static l => l.StartsWith("C: AUTH", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("2147483648")]
    [InlineData("2147483647")]
    [InlineData("1000001")]
    [InlineData("0")]
    [InlineData("-1")]
    public async Task An_iteration_count_out_of_bounds_is_cancelled_before_any_work_is_done(string iterations)
    {
        var (answer, said) = await LogInAsync(Server("SCRAM-SHA-256", (phase, line) => phase == SinkPhase.Auth ? Challenge($"r={NonceOf(line)}more,s=c2FsdA==,i={iterations}") : null));

        Assert.Contains("iteration count", Assert.IsType<ClientLoginAnswer.Abandoned>(answer).Reason, StringComparison.Ordinal);
        Assert.Equal("C: *", said[^1]);
    }

    [Fact]
    public async Task A_wrong_signature_is_cancelled()
    {
        var (answer, said) = await LogInAsync(Server("SCRAM-SHA-256", static (phase, line) => (phase, line) switch
        {
            (SinkPhase.Auth, _) => Challenge($"r={NonceOf(line)}more,s=c2FsdA==,i=4096"),
            (SinkPhase.AuthResponse, "*") => null,
            (SinkPhase.AuthResponse, _) => Challenge($"v={Convert.ToBase64String(new byte[32])}"),
            _ => null,
        }));

        Assert.Contains("could not prove", Assert.IsType<ClientLoginAnswer.Abandoned>(answer).Reason, StringComparison.Ordinal);
        Assert.Equal("C: *", said[^1]);
    }

    [Theory]
    [InlineData("SCRAM-SHA-256", true)]
    [InlineData("SCRAM-SHA-256", false)]
    [InlineData("DIGEST-MD5", true)]
    [InlineData("CRAM-MD5", true)]
    [InlineData("LOGIN", true)]
    public async Task A_success_that_comes_before_the_server_has_proven_itself_is_none(string mechanism, bool atOnce)
    {
        var (answer, said) = await LogInAsync(Server(mechanism, (phase, line) => phase switch
        {
            SinkPhase.Auth when !atOnce => Challenge($"r={NonceOf(line)}more,s=c2FsdA==,i=4096"),
            SinkPhase.Auth or SinkPhase.AuthResponse => new SinkAction.Reply("235 2.7.0 Welcome"),
            _ => null,
        }));

        Assert.Contains("has not proven", Assert.IsType<ClientLoginAnswer.Abandoned>(answer).Reason, StringComparison.Ordinal);
        Assert.Equal(atOnce ? 3 : 4, said.Count - 1);
    }

    [Theory]
    [InlineData("334 %%%%")]
    [InlineData("334 YQ")]
    [InlineData("334 YQ==YQ==")]
    [InlineData("334-YQ==\r\n334 YQ==")]
    [InlineData("334 3.7.0 YQ==")]
    public async Task A_challenge_that_is_not_base64_is_cancelled(string reply)
    {
        var (answer, said) = await LogInAsync(Server("CRAM-MD5", (phase, _) => phase == SinkPhase.Auth ? new SinkAction.Reply(reply) : null));

        Assert.Equal("the server's challenge is not base64", Assert.IsType<ClientLoginAnswer.Abandoned>(answer).Reason);
        Assert.Equal("C: *", said[^1]);
    }

    [Theory]
    [InlineData("SCRAM-SHA-256", 8_500)]
    [InlineData("DIGEST-MD5", 2_100)]
    public async Task A_challenge_too_long_for_its_mechanism_is_cancelled(string mechanism, int octets)
    {
        var (answer, said) = await LogInAsync(Server(mechanism, (phase, _) => phase == SinkPhase.Auth ? Challenge(new string('x', octets)) : null));

        Assert.IsType<ClientLoginAnswer.Abandoned>(answer);
        Assert.Equal("C: *", said[^1]);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    [InlineData("CRAM-MD5")]
    [InlineData("DIGEST-MD5")]
    [InlineData("SCRAM-SHA-256")]
    public async Task Challenges_without_end_are_cancelled(string mechanism)
    {
        var (answer, said) = await LogInAsync(Server(mechanism, static (phase, _) => phase is SinkPhase.Auth or SinkPhase.AuthResponse ? Challenge("more") : null));

        Assert.IsType<ClientLoginAnswer.Abandoned>(answer);
        Assert.Equal("C: *", said[^1]);
        Assert.InRange(said.Count, 1, 8);
    }

    [Theory]
    [InlineData("a line without end")]
    [InlineData("octets for ever")]
    [InlineData("lines for ever")]
    [InlineData("354")]
    [InlineData("250")]
    [InlineData("close")]
    [InlineData("reset")]
    public async Task Nonsense_instead_of_an_answer_ends_the_session_at_its_limit(string kind)
    {
        SinkAction action = kind switch
        {
            "a line without end" => new SinkAction.Flood(Encoding.ASCII.GetBytes("334 " + new string('A', 4096))),
            "octets for ever" => new SinkAction.Flood([0, 255, (byte)'3', (byte)'\n']),
            "lines for ever" => new SinkAction.Flood("334-YQ==\r\n"u8.ToArray()),
            "close" => new SinkAction.Close(),
            "reset" => new SinkAction.Abort(),
            _ => new SinkAction.Reply($"{kind} what?"),
        };
        var (answer, _) = await LogInAsync(Server("PLAIN", (phase, _) => phase == SinkPhase.Auth ? action : null));

        Assert.InRange(Assert.IsType<ClientLoginAnswer.Broken>(answer).Detail.Length, 1, 300);
    }

    [Theory]
    [InlineData("535 5.7.8 wrong: " + Password)]
    [InlineData("535-5.7.8 wrong\r\n535 5.7.8 AGxpc2EAY29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ== indeed")]
    [InlineData("235 2.7.0 welcome, " + Password)]
    public async Task A_secret_that_the_server_repeats_is_not_in_the_outcome(string reply)
    {
        await using var sink = new ScriptedSink(Server("PLAIN", (phase, _) => phase == SinkPhase.Auth ? new SinkAction.Reply(reply) : null));
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options(ClientTls.Required, isTrusted: true));
        await dialogue.OpenAsync(CancellationToken.None);

        var answer = await dialogue.LogInAsync(Lisa, CancellationToken.None) switch
        {
            ClientLoginAnswer.Refused(_, var refusal) => refusal,
            ClientLoginAnswer.Accepted(_, var welcome) => welcome,
            var other => throw new InvalidOperationException($"{other}"),
        };

        Assert.Equal(["(the text repeats the credentials)"], answer.Lines);
    }

    private static string NonceOf(string line)
    {
        Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(line.Split(' ')[2]), out var octets));
        var first = Encoding.UTF8.GetString(octets);
        return first[(first.IndexOf("r=", StringComparison.Ordinal) + 2)..];
    }
}
