using System.Text;
using System.Threading.Channels;
using Postern.Sasl;
using Postern.Smtp.Authentication;
using Postern.Smtp.Events;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Embedding;

/// <summary>Every attempt is told, also one that the client walks away from; and one that was lost before is told as what it was.</summary>
public sealed class AbandonedLoginTests
{
    private static readonly string Token = $"AUTH XOAUTH2 {Convert.ToBase64String(Encoding.ASCII.GetBytes("user=lisa\u0001auth=Bearer forged\u0001\u0001"))}";

    /// <summary>RFC 7628 §3.2.3: the challenge says why, the client acknowledges or leaves; some clients hang up there.</summary>
    [Theory]
    [InlineData("*", "501 5.7.0")]
    [InlineData("not base64", "501 5.5.2")]
    [InlineData(null, null)]
    public async Task A_refused_token_is_told_as_refused_whatever_the_client_does_then(string? answer, string? reply)
    {
        var attempts = new Attempts();
        await using var server = Start(attempts);
        await using (var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint))
        {
            await client.SayAsync(Token, "334");
            if (answer is not null)
                await client.SayAsync(answer, reply!);
        }

        var attempt = await attempts.NextAsync();
        Assert.Equal((SaslError.BadCredentials, "the token is forged", "lisa"), (attempt.Error, attempt.Reason, attempt.ClaimedUser));
    }

    /// <summary>A star is no way around the limit.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("not base64")]
    public async Task Tokens_that_were_cancelled_after_their_refusal_count_as_failed_logins(string answer)
    {
        await using var server = Start(new Attempts());
        await using var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync(Token, "334");
        await client.SayAsync("*", "501");
        await client.SayAsync(Token, "334");
        await client.SayAsync(answer, "421 4.7.0 Too many failed logins");
    }

    [Fact]
    public async Task A_client_that_hangs_up_before_anything_is_decided_is_told_too()
    {
        var attempts = new Attempts();
        await using var server = Start(attempts);
        await using (var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint))
            await client.SayAsync("AUTH LOGIN", "334");

        var attempt = await attempts.NextAsync();
        Assert.Equal(("LOGIN", null, "the client left during authentication"), (attempt.Mechanism, attempt.Error, attempt.Reason));
    }

    private static SmtpServer Start(Attempts attempts)
    {
        var options = new SmtpServerOptions
        {
            Listeners = [new SmtpListenerOptions { Name = "in", Endpoints = [new(System.Net.IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
            Store = new MemoryStore(),
            Events = attempts,
            Limits = new SessionLimits { FailedLogins = 2 },
        };
        options.Authenticate(
            static (_, _, _, _) => new(new AuthenticationResult.Refused { Reason = "the token is forged" }),
            CredentialKinds.Passwords | CredentialKinds.BearerTokens);
        var server = new SmtpServer(options);
        server.Start();
        return server;
    }

    private sealed class Attempts : ISmtpEvents
    {
        private readonly Channel<LoginAttempt> told = Channel.CreateUnbounded<LoginAttempt>();

        public void OnLogin(SessionState session, LoginAttempt attempt) => told.Writer.TryWrite(attempt);

        public Task<LoginAttempt> NextAsync() => told.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }
}
