using Postern.Sasl;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Embedding;

/// <summary>Mechanisms of one's own, in the place of others, left out, and kept for TLS.</summary>
public sealed class MechanismListTests
{
    [Theory]
    [InlineData("AUTH X-OWN_1-PLUS")]
    [InlineData("auth x-own_1-plus")]
    public async Task A_mechanism_of_ones_own_is_offered_and_found_in_any_case_and_says_its_own_words(string command)
    {
        await using var server = Start(static options => options.Mechanisms = options.Mechanisms.With(new OneStep("X-OWN_1-PLUS")));
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        Assert.Contains("AUTH X-OWN_1-PLUS PLAIN LOGIN", await client.AskAsync("EHLO c"));
        await client.SayAsync(command, "334 ");
        await client.SayAsync("bm8=", "534 5.7.9 Not like this");
        await client.SayAsync($"{command} b2s=", "235 2.7.0 Well done");
    }

    [Fact]
    public async Task One_that_has_the_name_of_another_takes_its_place()
    {
        await using var server = Start(static options => options.Mechanisms = options.Mechanisms.With(new OneStep("PLAIN")));
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        Assert.Contains("AUTH PLAIN LOGIN", await client.AskAsync("EHLO c"));
        await client.SayAsync("AUTH PLAIN b2s=", "235 2.7.0 Well done");
    }

    [Fact]
    public async Task What_goes_is_neither_announced_nor_taken()
    {
        await using var server = Start(
            static options => options.Mechanisms = options.Mechanisms.With(new OneStep("X-OWN")).Without("x-own"),
            new SmtpListenerOptions { Name = "a", WithoutMechanisms = ["login"] });
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        Assert.Contains("-AUTH PLAIN\n", await client.AskAsync("EHLO c"));
        await client.SayAsync("AUTH LOGIN", "504 5.5.4");
        await client.SayAsync("AUTH X-OWN", "504 5.5.4");
    }

    [Fact]
    public void What_does_not_exist_cannot_go() =>
        Assert.Contains("there is no mechanism LOGON among ", Assert.Throws<ArgumentException>(() => SaslMechanisms.All.Without("LOGON")).Message);

    [Fact]
    public async Task A_mechanism_is_kept_for_TLS_by_the_listener_or_by_itself_where_others_are_not()
    {
        await using var server = Start(
            static options => options.Mechanisms = options.Mechanisms.With(new OneStep("X-OWN"), new OneStep("X-BOUND") { NeedsChannel = true }),
            new SmtpListenerOptions { Name = "a", Tls = TlsMode.StartTls, MechanismsUnderTls = ["Plain", "LOGIN"] });
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        Assert.Contains("-AUTH X-OWN\n", await client.AskAsync("EHLO c"));
        await client.SayAsync("AUTH PLAIN AGEAYg==", "504 5.5.4 This authentication mechanism needs TLS first");
        await client.SayAsync("AUTH X-BOUND", "504 5.5.4 This authentication mechanism needs TLS first");
        await client.SayAsync("AUTH X-NONE", "504 5.5.4 Authentication mechanism not available here");
        await client.StartTlsAsync();
        Assert.Contains("-AUTH X-OWN X-BOUND PLAIN LOGIN\n", await client.AskAsync("EHLO c"));
        await client.SayAsync("AUTH X-BOUND b2s=", "235");
    }

    [Fact]
    public async Task Data_that_goes_with_success_is_one_more_challenge_that_wants_an_empty_answer()
    {
        await using var server = Start(static options => options.Mechanisms = options.Mechanisms.With(new OneStep("X-OWN") { Proof = "proof"u8.ToArray() }));
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync("AUTH X-OWN b2s=", "334 cHJvb2Y=");
        await client.SayAsync("*", "501 5.7.0");
        await client.SayAsync("AUTH X-OWN b2s=", "334 cHJvb2Y=");
        await client.SayAsync("AAAA", "501 5.5.2");
        await client.SayAsync("AUTH X-OWN b2s=", "334 cHJvb2Y=");
        await client.SayAsync(string.Empty, "235 2.7.0 Well done");
    }

    [Fact]
    public void Every_mistake_about_mechanisms_is_listed()
    {
        var listener = new SmtpListenerOptions
        {
            Name = "a", Tls = TlsMode.None, Mechanisms = ["PLAIN"], WithoutMechanisms = ["NTLM", "plain"], MechanismsUnderTls = ["LOGON"],
        };
        var options = Options(static _ => { }, listener);
        options.Mechanisms = [.. SaslMechanisms.All, new OneStep("x-own"), new OneStep("X OWN"), new OneStep(string.Empty), new OneStep(new string('X', 21)), new OneStep("LOGIN"), new OneStep("Plain")];
        var text = Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message;
        Assert.All(
            ["is named 'x-own'", "is named 'X OWN'", "is named ''", $"is named '{new string('X', 21)}'", "Mechanisms holds LOGIN 2 times", "Mechanisms holds PLAIN 2 times",
                "'a' does without the mechanism NTLM, and there are ", "'a' keeps for TLS the mechanism LOGON", "'a' names the mechanism plain, and does without it"],
            mistake => Assert.Contains(mistake, text));
        options.Mechanisms = [null!];
        Assert.Contains("- One of Mechanisms is null", Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message);
    }

    private static SmtpServerOptions Options(Action<SmtpServerOptions> configure, SmtpListenerOptions listener)
    {
        var options = new SmtpServerOptions
        {
            Store = new MemoryStore(),
            Policy = new TestPolicy(),
            Tls = new TlsOptions(TestCertificate.Instance),
            Listeners = [listener with { Auth = AuthMode.Always, Endpoints = [new(System.Net.IPAddress.Loopback, 0)] }],
        };
        options.Authenticate(static (_, _, _) => new(true));
        configure(options);
        return options;
    }

    private static SmtpServer Start(Action<SmtpServerOptions> configure, SmtpListenerOptions? listener = null)
    {
        var server = new SmtpServer(Options(configure, listener ?? new SmtpListenerOptions { Name = "a", Tls = TlsMode.None }));
        server.Start();
        return server;
    }

    /// <summary>Takes <c>ok</c>, and says of anything else that it is too weak.</summary>
    private sealed class OneStep(string name) : ISaslMechanism
    {
        public bool NeedsChannel { get; init; }

        public ReadOnlyMemory<byte>? Proof { get; init; }

        public string Name => name;

        public bool ExposesSecret => false;

        public bool TakesInitialResponse => true;

        public ISaslExchange? TryStart(SaslContext context) => NeedsChannel && context.Channel is null ? null : new Exchange(Proof);

        private sealed class Exchange(ReadOnlyMemory<byte>? proof) : ISaslExchange
        {
            public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct) => new(response switch
            {
                null => new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty),
                { } said when said.Span.SequenceEqual("ok"u8) => new SaslStep.Success(new SaslIdentity("lisa", "lisa"), proof) { Text = new OutcomeText("Well done") },
                _ => new SaslStep.Failure(SaslError.TooWeak, "lisa", "not ok", UserExists: true) { Text = new OutcomeText("Not like this") },
            });
        }
    }
}
