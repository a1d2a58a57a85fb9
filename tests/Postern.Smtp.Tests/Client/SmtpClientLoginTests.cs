using System.Text;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>AUTH from the client's side (RFC 4954), over TLS that verified unless said otherwise.</summary>
public sealed class SmtpClientLoginTests
{
    private static readonly SmtpClientOptions Options = new()
    {
        Hostname = Domain.Parse("client.test"),
        ServerName = "localhost",
        Tls = ClientTls.Implicit,
        VerifyCertificate = static (_, presented, _, _) => presented!.GetCertHashString() == TestCertificate.Instance.GetCertHashString(),
    };

    private static readonly ClientLogin Lisa = new(new SaslClientCredentials { User = "lisa", Password = new Secret("tiger") });

    private static SinkOptions Offering(string mechanisms, Func<SinkPhase, string, SinkAction?>? script = null) => new()
    {
        Certificate = TestCertificate.Instance,
        ImplicitTls = true,
        Extensions = ["PIPELINING", $"AUTH {mechanisms}"],
        Script = (phase, line, _) => script?.Invoke(phase, line),
    };

    private static SinkAction Challenge(string text) => new SinkAction.Reply("334 " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static async Task<(ClientLoginAnswer Answer, IReadOnlyList<string> Transcript, bool StaysOpen)> LogInAsync(SinkOptions server, ClientLogin? login = null, SmtpClientOptions? options = null)
    {
        await using var sink = new ScriptedSink(server);
        await using var dialogue = await SinkClient.ConnectAsync(sink, options ?? Options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        var answer = await dialogue.LogInAsync(login ?? Lisa, CancellationToken.None);
        var staysOpen = dialogue.IsOpen;
        Assert.Equal((answer as ClientLoginAnswer.Accepted)?.Mechanism, dialogue.Mechanism);
        await dialogue.QuitAsync(CancellationToken.None);
        return (answer, [.. sink.Transcript(0).Where(static l => l is ['C', ..]).Skip(1)], staysOpen);
    }

    [Fact]
    public async Task Plain_goes_with_the_command_and_no_second_ehlo_follows()
    {
        var (answer, said, _) = await LogInAsync(Offering("LOGIN PLAIN"));

        Assert.Equal("PLAIN", Assert.IsType<ClientLoginAnswer.Accepted>(answer).Mechanism);
        Assert.Equal([$"C: AUTH PLAIN {Base64("\0lisa\0tiger")}", "C: QUIT"], said);
    }

    [Fact]
    public async Task Login_answers_its_two_prompts()
    {
        var prompts = new Queue<string>(["User Name\0", "Password\0"]);
        var (answer, said, _) = await LogInAsync(Offering("LOGIN", (phase, _) => phase is SinkPhase.Auth or SinkPhase.AuthResponse && prompts.TryDequeue(out var prompt) ? Challenge(prompt) : null));

        Assert.IsType<ClientLoginAnswer.Accepted>(answer);
        Assert.Equal(["C: AUTH LOGIN", $"C: {Base64("lisa")}", $"C: {Base64("tiger")}", "C: QUIT"], said);
    }

    [Fact]
    public async Task An_initial_response_without_room_in_the_command_waits_for_the_server()
    {
        var token = new ClientLogin(new SaslClientCredentials { User = "lisa", Token = new Secret(new string('t', 2000)) });
        var (answer, said, _) = await LogInAsync(Offering("XOAUTH2", static (phase, _) => phase == SinkPhase.Auth ? new SinkAction.Reply("334 ") : null), token);

        Assert.IsType<ClientLoginAnswer.Accepted>(answer);
        Assert.Equal(["C: AUTH XOAUTH2", $"C: {Base64($"user=lisa\u0001auth=Bearer {new string('t', 2000)}\u0001\u0001")}", "C: QUIT"], said);
    }

    [Theory]
    [InlineData(366, true)]
    [InlineData(367, false)]
    public async Task A_command_has_512_octets_at_the_most(int passwordLength, bool fits)
    {
        var login = new ClientLogin(new SaslClientCredentials { User = "lisa", Password = new Secret(new string('p', passwordLength)) });
        var (answer, said, _) = await LogInAsync(Offering("PLAIN", (phase, _) => phase == SinkPhase.Auth && !fits ? new SinkAction.Reply("334 ") : null), login);

        Assert.IsType<ClientLoginAnswer.Accepted>(answer);
        Assert.Equal(fits, said[0].Length > "C: AUTH PLAIN".Length);
        Assert.InRange(said[0].Length - "C: ".Length + "\r\n".Length, 0, 512);
    }

    [Fact]
    public async Task An_empty_initial_response_is_an_equals_sign()
    {
        var login = new ClientLogin(new SaslClientCredentials { HasClientCertificate = true });
        var (answer, said, _) = await LogInAsync(Offering("EXTERNAL"), login);

        Assert.IsType<ClientLoginAnswer.Accepted>(answer);
        Assert.Equal("C: AUTH EXTERNAL =", said[0]);
    }

    [Theory]
    [InlineData("535 5.7.8 Authentication credentials invalid", false)]
    [InlineData("534 5.7.9 Authentication mechanism is too weak", false)]
    [InlineData("504 5.5.4 Unrecognized authentication type", false)]
    [InlineData("454 4.7.0 Temporary authentication failure", true)]
    [InlineData("432 4.7.12 A password transition is needed", true)]
    public async Task A_refusal_is_a_value_and_the_session_stays_open(string reply, bool isTransient)
    {
        var (answer, said, staysOpen) = await LogInAsync(Offering("PLAIN", (phase, _) => phase == SinkPhase.Auth ? new SinkAction.Reply(reply) : null));

        var (mechanism, refusal) = Assert.IsType<ClientLoginAnswer.Refused>(answer);
        Assert.Equal(("PLAIN", reply, isTransient), (mechanism, refusal.ToString(), refusal.IsTransient));
        Assert.True(staysOpen);
        Assert.Equal("C: QUIT", said[^1]);
    }

    [Fact]
    public async Task After_421_there_is_nothing_more_to_say()
    {
        var (answer, _, staysOpen) = await LogInAsync(Offering("PLAIN", static (phase, _) => phase == SinkPhase.Auth ? new SinkAction.Reply("421 4.7.0 Too many") : null));

        Assert.Equal(421, Assert.IsType<ClientLoginAnswer.Refused>(answer).Reply.Code);
        Assert.False(staysOpen);
    }

    [Theory]
    [InlineData("CRAM-MD5 PLAIN", null, "CRAM-MD5")]
    [InlineData("cram-md5 plain", "PLAIN", "PLAIN")]
    [InlineData("PLAIN ANONYMOUS X-OWN", null, "PLAIN")]
    public async Task The_strongest_that_is_offered_and_allowed_is_taken(string offered, string? allowed, string expected)
    {
        var login = Lisa with { Mechanisms = allowed?.Split(' ') };
        var (answer, _, _) = await LogInAsync(Offering(offered, static (phase, line) => phase == SinkPhase.Auth && line.StartsWith("AUTH CRAM", StringComparison.OrdinalIgnoreCase) ? Challenge("<1@x>") : null), login);

        Assert.Equal(expected, Assert.IsType<ClientLoginAnswer.Accepted>(answer).Mechanism);
    }

    [Theory]
    [InlineData("GSSAPI XOAUTH2", null, "the server offers GSSAPI XOAUTH2: none that is allowed and has what it needs")]
    [InlineData("PLAIN LOGIN", "SCRAM-SHA-256", "the server offers PLAIN LOGIN: none that is allowed and has what it needs")]
    public async Task Nothing_is_said_where_no_mechanism_suits(string offered, string? allowed, string reason)
    {
        var (answer, said, staysOpen) = await LogInAsync(Offering(offered), Lisa with { Mechanisms = allowed?.Split(' ') });

        Assert.Equal(reason, Assert.IsType<ClientLoginAnswer.Unsuitable>(answer).Reason);
        Assert.Equal(["C: QUIT"], said);
        Assert.True(staysOpen);
    }

    [Fact]
    public async Task A_server_without_auth_is_not_asked()
    {
        var (answer, _, _) = await LogInAsync(Offering("PLAIN") with { Extensions = ["PIPELINING"] });

        Assert.Equal("the server offers no AUTH", Assert.IsType<ClientLoginAnswer.Unsuitable>(answer).Reason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Auth_of_nobody_is_said_with_mail_only_after_a_login(bool logsIn)
    {
        await using var sink = new ScriptedSink(Offering("PLAIN"));
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options);
        await dialogue.OpenAsync(CancellationToken.None);
        if (logsIn)
            await dialogue.LogInAsync(Lisa, CancellationToken.None);
        var sender = new ReversePath(Mailbox.Parse("a@here.test"));
        await dialogue.SendAsync(
            new OutgoingMessage(new SmtpEnvelope(sender, [Mailbox.Parse("b@there.test")]) { Parameters = new MailParameters { SubmittedBy = sender } }, new ByteContent("x\r\n")), following: null, CancellationToken.None);

        Assert.Equal(logsIn ? "MAIL FROM:<a@here.test> AUTH=<>" : "MAIL FROM:<a@here.test>", sink.Messages[0].MailLine);
    }

    [Fact]
    public async Task A_second_login_is_a_mistake_of_the_caller()
    {
        await using var sink = new ScriptedSink(Offering("PLAIN"));
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options);
        await dialogue.OpenAsync(CancellationToken.None);
        await dialogue.LogInAsync(Lisa, CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await dialogue.LogInAsync(Lisa, CancellationToken.None));
    }
}
