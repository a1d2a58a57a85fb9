using System.Collections.Concurrent;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Authentication;
using Postern.Smtp.Events;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;
using Decide = System.Func<Postern.Smtp.Session.SessionState, string, Postern.Smtp.Authentication.LoginCredentials, System.Threading.CancellationToken, System.Threading.Tasks.ValueTask<Postern.Smtp.Authentication.AuthenticationResult>>;

namespace Postern.Smtp.Tests.Embedding;

/// <summary>What a program that decides logins itself relies on.</summary>
public sealed class AuthenticatorTests
{
    private static readonly string Lisa = $"AUTH PLAIN {SmtpDialogue.Plain("lisa", "tiger")}";
    private static readonly string Token = $"AUTH XOAUTH2 {Base64("user=lisa\u0001auth=Bearer tiger\u0001\u0001")}";

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task It_hears_the_session_the_mechanism_the_user_and_the_password(string mechanism)
    {
        var heard = string.Empty;
        await using var server = Start((session, by, credentials, _) =>
        {
            heard = $"{session.ClientAddress} {session.HeloName} {by} {credentials}";
            return new(credentials is LoginCredentials.UserPassword(var user, var password) && user == "lisa" && password.Matches("tiger")
                ? new AuthenticationResult.Accepted()
                : new AuthenticationResult.Refused());
        });
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        if (mechanism == "PLAIN")
        {
            await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("lisa", "lion")}", "535 5.7.8 Authentication failed");
            await client.SayAsync(Lisa, "235 2.7.0 Authentication successful");
        }
        else
        {
            await client.SayAsync($"AUTH LOGIN {Base64("lisa")}", "334");
            await client.SayAsync(Base64("tiger"), "235 2.7.0 Authentication successful");
        }

        Assert.Equal($"127.0.0.1 client.example {mechanism} UserPassword {{ User = lisa, Password = *** }}", heard);
    }

    public static TheoryData<string, string> Replies() => new()
    {
        { "accepted", "235 2.7.0 Words" },
        { "refused", "535 5.7.8 Words" },
        { "unavailable", "454 4.7.0 Words" },
        { "too weak", "534 5.7.9 Words" },
        { "transition", "432 4.7.12 Words" },
    };

    [Theory]
    [MemberData(nameof(Replies))]
    public async Task The_result_fixes_the_code_and_only_the_words_are_chosen(string kind, string reply)
    {
        await using var server = Start((_, _, _, _) => new(Result(kind, "Words")), CredentialKinds.Passwords | CredentialKinds.BearerTokens);
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        Assert.Equal(reply, await client.AskAsync(Lisa));
        await using var bearer = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        var answer = await bearer.AskAsync(Token);
        if (kind == "refused")
            answer = await bearer.AskAsync(string.Empty); // RFC 7628 §3.2.3: the challenge says why, then it fails
        Assert.Equal(reply, answer);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("two\r\nlines")]
    [InlineData("nul\0")]
    [InlineData("Grüße")]
    [InlineData("535 5.7.8 No")]
    [InlineData("235-No")]
    [InlineData("long", 401)]
    public void A_text_that_could_not_be_said_is_refused_where_it_is_made(string text, int length = 0)
    {
        text = text.PadRight(length, '.');
        Assert.Throws<ArgumentException>(() => new OutcomeText(text));
        Assert.Throws<ArgumentException>(() => new AuthenticationResult.Accepted(text: text));
        Assert.Throws<ArgumentException>(() => new AuthenticationResult.Refused(text));
        Assert.Equal(400, new OutcomeText(new string('.', 400)).Text.Length);
    }

    [Fact]
    public void A_user_is_not_empty_and_holds_no_control_characters()
    {
        Assert.Throws<ArgumentException>(() => new AuthenticationResult.Accepted(string.Empty));
        Assert.Throws<ArgumentException>(() => new AuthenticationResult.Accepted("lisa\r\nBcc: bart"));
    }

    [Fact]
    public async Task The_canonical_user_and_the_data_reach_policy_and_store_and_die_with_the_login()
    {
        var row = new object();
        var seen = new ConcurrentQueue<(string? User, object? Data)>();
        var received = new TaskCompletionSource<ReceivedMessage>();
        await using var server = Start(
            (_, _, _, _) => new(new AuthenticationResult.Accepted("lisa@example.org", row)),
            more: options =>
            {
                options.Listeners = [options.Listeners[0] with { Tls = TlsMode.StartTls }];
                options.Tls = new TlsOptions(TestCertificate.Instance);
                options.Policy = EnvelopePolicy.From(
                    static (_, _, _) => new(new Verdict.Permit("test")),
                    (session, _, _) =>
                    {
                        seen.Enqueue((session.Identity?.AuthorizationId, session.LoginData));
                        return new(Verdict.Pass.Instance);
                    });
                options.Store = MessageStore.From((message, _) =>
                {
                    received.SetResult(message);
                    return Task.CompletedTask;
                });
            });
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync(Lisa, "235");
        await client.SayAsync("EHLO again.example", "250");
        await client.SendAsync("lisa@example.org", "bart@example.net", "Hello.\r\n");
        await client.StartTlsAsync();
        await client.SayAsync("MAIL FROM:<lisa@example.org>", "250");

        Assert.Equal([("lisa@example.org", row), (null, null)], seen);
        var message = await received.Task;
        Assert.Equal(("lisa@example.org", row), (message.Login, message.LoginData));
        Assert.Equal($"{message.Id} from <lisa@example.org> to bart@example.net", $"{message}");
    }

    [Fact]
    public async Task What_it_throws_is_454_and_only_the_type_reaches_the_log()
    {
        var attempts = new ConcurrentQueue<LoginAttempt>();
        await using var server = Start(
            (_, _, credentials, _) => throw new InvalidOperationException(((LoginCredentials.UserPassword)credentials).Password.Reveal()),
            more: options => options.Events = new Attempts(attempts));
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync(Lisa, "454 4.7.0");
        await client.SayAsync("NOOP", "250");
        var attempt = Assert.Single(attempts);
        Assert.Equal((SaslError.TemporaryFailure, "the authenticator threw InvalidOperationException"), (attempt.Error, attempt.Reason));
        Assert.DoesNotContain("tiger", $"{attempt}");
    }

    [Fact]
    public async Task No_answer_and_a_token_that_is_nobodys_are_454()
    {
        await using var server = Start((_, _, credentials, _) => new(credentials is LoginCredentials.BearerToken ? new AuthenticationResult.Accepted() : null!), CredentialKinds.Passwords | CredentialKinds.BearerTokens);
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync(Lisa, "454 4.7.0");
        await client.SayAsync(Token, "454 4.7.0");
    }

    [Theory]
    [InlineData("too weak", "534 5.7.9 Authentication mechanism is too weak for this user")]
    [InlineData("transition", "432 4.7.12 A password transition is needed")]
    [InlineData("unavailable", "454 4.7.0 Temporary authentication failure, try again later")]
    public async Task What_is_no_guess_is_not_counted_as_one(string kind, string reply)
    {
        await using var server = Start((_, _, _, _) => new(Result(kind, null)), more: static options => options.Limits = new SessionLimits { FailedLogins = 2 });
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        for (var i = 0; i < 5; i++)
            Assert.Equal(reply, await client.AskAsync(Lisa));
    }

    [Fact]
    public async Task Words_of_ones_own_do_not_save_a_session_from_too_many_wrong_passwords()
    {
        await using var server = Start((_, _, _, _) => new(Result("refused", "Ask the desk")), more: static options => options.Limits = new SessionLimits { FailedLogins = 2 });
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync(Lisa, "535 5.7.8 Ask the desk");
        await client.SayAsync(Lisa, "421 4.7.0 Too many failed logins");
    }

    [Fact]
    public async Task Whose_token_it_is_must_be_who_the_client_claims_to_be_and_the_token_prints_as_stars()
    {
        var heard = string.Empty;
        await using var server = Start(
            (_, by, credentials, _) =>
            {
                heard = $"{by} {credentials}";
                return new(credentials is LoginCredentials.BearerToken(var token) && token.Matches("tiger") ? new AuthenticationResult.Accepted("bart", text: "Welcome") : new AuthenticationResult.Refused());
            },
            CredentialKinds.BearerTokens);
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync(Token, "334");
        await client.SayAsync(string.Empty, "535 5.7.8 Authentication failed");
        await client.SayAsync(Lisa, "504 5.5.4");
        await client.SayAsync(Token.Replace(Base64("user=lisa\u0001auth=Bearer tiger\u0001\u0001"), Base64("user=bart\u0001auth=Bearer tiger\u0001\u0001")), "235 2.7.0 Welcome");
        Assert.Equal("XOAUTH2 BearerToken { Token = *** }", heard);
    }

    [Fact]
    public async Task On_whose_behalf_is_asked_of_the_grants_and_a_denial_does_not_carry_the_words_of_success()
    {
        var passwords = new TestPasswords();
        await using var server = Start((_, _, _, _) => new(new AuthenticationResult.Accepted(text: "Welcome")), more: options => options.Sasl = options.Sasl with { Grants = passwords });
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync($"AUTH PLAIN {Base64("root\0lisa\0tiger")}", "535 5.7.8 Authentication failed");
        await client.SayAsync($"AUTH PLAIN {Base64("shared\0lisa\0tiger")}", "235 2.7.0 Welcome");
    }

    [Fact]
    public void The_last_call_decides_who_checks_passwords()
    {
        var options = new SmtpServerOptions();
        options.Authenticate(static (_, _, _) => new(true));
        options.Authenticate(static (_, _, _, _) => new(new AuthenticationResult.Refused()));
        Assert.Null(options.Sasl.Passwords);
        options.Authenticate(static (_, _, _) => new(true));
        Assert.Null(options.Authenticator);
        Assert.NotNull(options.Sasl.Passwords);
    }

    [Fact]
    public void Two_who_would_check_the_same_are_a_mistake()
    {
        var options = new SmtpServerOptions { Store = new MemoryStore(), Policy = new TestPolicy() };
        options.Authenticate(static (_, _, _, _) => new(new AuthenticationResult.Refused()), CredentialKinds.Passwords | CredentialKinds.BearerTokens);
        options.Sasl = options.Sasl with { Passwords = new TestPasswords(), Tokens = new NoTokens() };
        var text = Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message;
        Assert.Contains("- Authenticator and Sasl.Passwords would both check passwords", text);
        Assert.Contains("- Authenticator and Sasl.Tokens would both check bearer tokens", text);
    }

    [Fact]
    public void What_holds_a_secret_does_not_print_it()
    {
        const string Canary = "tiger";
        object[] holders =
        [
            new Password(Encoding.UTF8.GetBytes(Canary)), new Secret(Canary), new LoginCredentials.BearerToken(new Secret(Canary)),
            new LoginCredentials.UserPassword("lisa", new Password(Encoding.UTF8.GetBytes(Canary))), new AuthenticationResult.Accepted("lisa", Canary),
            new LoginAnswer.Match("lisa") { LoginData = Canary }, new LoginAnswer.Match("lisa") { LoginData = Canary },
            new SaslStep.Success(new SaslIdentity("lisa", "lisa")) { LoginData = Canary },
        ];
        Assert.All(holders, static holder => Assert.DoesNotContain(Canary, $"{holder}"));
    }

    private static AuthenticationResult Result(string kind, string? text) => kind switch
    {
        "accepted" => new AuthenticationResult.Accepted("lisa", text: text),
        "refused" => new AuthenticationResult.Refused(text),
        "unavailable" => new AuthenticationResult.Unavailable(text),
        "too weak" => new AuthenticationResult.TooWeak(text),
        _ => new AuthenticationResult.TransitionNeeded(text),
    };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static SmtpServer Start(Decide decide, CredentialKinds answers = CredentialKinds.Passwords, Action<SmtpServerOptions>? more = null)
    {
        var options = new SmtpServerOptions { Store = new MemoryStore(), Policy = new TestPolicy() };
        options.Listen(0, TlsMode.None);
        options.Listeners = [options.Listeners[0] with { Auth = AuthMode.Always }];
        options.Authenticate(decide, answers);
        more?.Invoke(options);
        var server = new SmtpServer(options);
        server.Start();
        return server;
    }

    private sealed class Attempts(ConcurrentQueue<LoginAttempt> attempts) : ISmtpEvents
    {
        public void OnLogin(SessionState session, LoginAttempt attempt) => attempts.Enqueue(attempt);
    }

    private sealed class NoTokens : ITokenVerifier
    {
        public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) => new(new LoginAnswer.NoMatch("none"));
    }
}
