using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

public sealed class SmtpClientTlsTests
{
    private static readonly SmtpClientOptions Options = new() { Hostname = Domain.Parse("client.test"), ServerName = "sink.test" };

    private static async Task<(ClientAnswer Answer, SmtpClientDialogue Dialogue)> OpenAsync(ScriptedSink sink, SmtpClientOptions options)
    {
        var dialogue = await SinkClient.ConnectAsync(sink, options);
        return (await dialogue.OpenAsync(CancellationToken.None), dialogue);
    }

    private static OutgoingMessage Message() =>
        new(ReversePath.Null, [Mailbox.Parse("b@there.test")], new ByteContent("x\r\n"));

    [Fact]
    public async Task Opportunistic_tls_takes_any_certificate_and_says_ehlo_again()
    {
        using var certificate = TestCertificate.Create("other.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        var (answer, dialogue) = await OpenAsync(sink, Options);
        await using var _ = dialogue;

        Assert.IsType<ClientAnswer.Accepted>(answer);
        Assert.Equal("TLSv1.3", dialogue.Tls?.Version);
        await dialogue.SendAsync(Message(), following: null, CancellationToken.None);
        Assert.True(sink.Messages[0].IsTls);
        Assert.Equal(2, sink.Transcript(0).Count(l => l == "C: EHLO client.test"));
    }

    [Fact]
    public async Task Required_tls_refuses_a_certificate_that_does_not_verify()
    {
        using var certificate = TestCertificate.Create("sink.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        var (answer, dialogue) = await OpenAsync(sink, Options with { Tls = ClientTls.Required });
        await using var _ = dialogue;

        Assert.Equal(ClientFault.TlsFailed, Assert.IsType<ClientAnswer.Broken>(answer).Fault);
        Assert.False(dialogue.IsOpen);
    }

    [Theory]
    [InlineData(ClientTls.Required, false)]
    [InlineData(ClientTls.Implicit, true)]
    public async Task A_certificate_that_verifies_opens_the_session(ClientTls tls, bool isImplicit)
    {
        using var certificate = TestCertificate.Create("sink.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate, ImplicitTls = isImplicit });
        var options = Options with { Tls = tls, VerifyCertificate = (_, presented, _, _) => presented!.GetCertHashString() == certificate.GetCertHashString() };
        var (answer, dialogue) = await OpenAsync(sink, options);
        await using var _ = dialogue;

        Assert.IsType<ClientAnswer.Accepted>(answer);
        Assert.NotNull(dialogue.Tls);
        await dialogue.QuitAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Required_tls_that_is_not_offered_sends_nothing()
    {
        await using var sink = new ScriptedSink();
        var (answer, dialogue) = await OpenAsync(sink, Options with { Tls = ClientTls.Required });
        await using var _ = dialogue;

        Assert.Equal(ClientFault.TlsUnavailable, Assert.IsType<ClientAnswer.Broken>(answer).Fault);
    }

    /// <summary>Row 22.</summary>
    [Fact]
    public async Task Refusing_ehlo_does_not_talk_the_client_out_of_required_tls()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Ehlo, new SinkAction.Reply("502 5.5.1 What?")));
        var (answer, dialogue) = await OpenAsync(sink, Options with { Tls = ClientTls.Required });
        await using var _ = dialogue;

        Assert.Equal(ClientFault.TlsUnavailable, Assert.IsType<ClientAnswer.Broken>(answer).Fault);
        Assert.DoesNotContain(sink.Transcript(0), l => l.StartsWith("C: HELO", StringComparison.Ordinal));
    }

    /// <summary>Rows 15 and 19: what stood in the buffer is never read as said under TLS, nor as an offer.</summary>
    [Theory]
    [InlineData(ClientTls.Opportunistic)]
    [InlineData(ClientTls.Required)]
    public async Task Octets_behind_the_go_ahead_for_tls_end_the_session(ClientTls tls)
    {
        using var certificate = TestCertificate.Create("sink.test");
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.StartTls, new SinkAction.Raw("220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"u8.ToArray())) with { Certificate = certificate });
        var (answer, dialogue) = await OpenAsync(sink, Options with { Tls = tls });
        await using var _ = dialogue;

        Assert.Equal(ClientFault.Injection, Assert.IsType<ClientAnswer.Broken>(answer).Fault);
        Assert.False(dialogue.IsOpen);
    }

    [Theory]
    [InlineData(ClientTls.Opportunistic, true)]
    [InlineData(ClientTls.Required, false)]
    public async Task A_refused_starttls_matters_only_where_tls_is_required(ClientTls tls, bool opens)
    {
        using var certificate = TestCertificate.Create("sink.test");
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.StartTls, new SinkAction.Reply("454 4.7.0 Not now")) with { Certificate = certificate });
        var (answer, dialogue) = await OpenAsync(sink, Options with { Tls = tls });
        await using var _ = dialogue;

        Assert.Equal(opens, answer is ClientAnswer.Accepted);
        Assert.Null(dialogue.Tls);
    }
}
