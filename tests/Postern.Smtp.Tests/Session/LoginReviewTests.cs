using System.Collections.Concurrent;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Authentication;
using Postern.Smtp.Events;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>A login is good for as long as what it rests on, and not for as long as the connection.</summary>
public sealed class LoginReviewTests
{
    private static readonly LoginAnswer Gone = new LoginAnswer.NoMatch("the credential was revoked");
    private static readonly LoginAnswer Unsure = new LoginAnswer.Unavailable("the directory is locked");

    private readonly Authority authority = new();
    private readonly GatedStore store = new();
    private readonly ManualClock clock = new();
    private readonly Reviews told = new();

    [Fact]
    public async Task Row_171_a_login_that_is_gone_sends_nothing_more_and_the_session_ends()
    {
        await using var server = Start();
        await using var client = await LogInAsync(server);
        authority.Answer = Gone;
        Assert.StartsWith("421 4.7.0", await client.AskAsync("MAIL FROM:<lisa@example.org>"));
        Assert.Empty(await client.ReadToEndAsync());
        Assert.Equal(Gone, Assert.Single(told.Heard));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Row_171_a_login_that_goes_while_a_message_comes_in_has_not_sent_it(bool inChunks)
    {
        await using var server = Start();
        await using var client = await LogInAsync(server);
        await BeginAsync(client, inChunks);
        authority.Answer = Gone;
        Assert.StartsWith("421 4.7.0", await EndAsync(client, inChunks));
        Assert.Empty(await client.ReadToEndAsync());
        Assert.Empty(store.Inner.Messages);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Row_172_a_login_that_cannot_be_asked_about_waits_and_goes_on(bool inChunks)
    {
        await using var server = Start();
        await using var client = await LogInAsync(server);
        foreach (var failure in new Func<LoginAnswer>[] { static () => Unsure, static () => throw new InvalidOperationException() })
        {
            authority.Ask = failure;
            Assert.StartsWith("451 4.3.0", await client.AskAsync("MAIL FROM:<lisa@example.org>"));
            authority.Answer = LoginAnswer.Holds.Instance;
            await BeginAsync(client, inChunks);
            authority.Ask = failure;
            Assert.StartsWith("451 4.3.0", await EndAsync(client, inChunks));
            Assert.Empty(store.Inner.Messages);
        }

        authority.Answer = LoginAnswer.Holds.Instance;
        await BeginAsync(client, inChunks);
        Assert.StartsWith("250 2.0.0", await EndAsync(client, inChunks));
        Assert.Equal(4, told.Heard.Count(static r => r is LoginAnswer.Unavailable));
    }

    [Fact]
    public async Task Row_173_a_session_that_says_nothing_ends_with_its_login_and_others_stay()
    {
        await using var server = Start();
        await using var stranger = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await using var client = await LogInAsync(server);
        authority.Answer = Gone;
        clock.Advance(TimeSpan.FromSeconds(6));
        await client.ExpectAsync("421 4.7.0");
        Assert.Empty(await client.ReadToEndAsync());
        await stranger.SayAsync("NOOP", "250");
        Assert.Equal(Gone, Assert.Single(told.Heard));
    }

    [Fact]
    public async Task Row_173_whoever_takes_rights_away_is_told_how_many_sessions_end()
    {
        await using var server = Start();
        await using var one = await LogInAsync(server);
        await using var other = await LogInAsync(server);
        Assert.Equal(new LoginsReviewed(0, 0), await server.ReviewLoginsAsync(CancellationToken.None));
        authority.Answer = Unsure;
        Assert.Equal(new LoginsReviewed(0, 2), await server.ReviewLoginsAsync(CancellationToken.None));
        authority.Answer = Gone;
        Assert.Equal(new LoginsReviewed(2, 0), await server.ReviewLoginsAsync(CancellationToken.None));
        await one.ExpectAsync("421 4.7.0");
        await other.ExpectAsync("421 4.7.0");
    }

    [Fact]
    public async Task Row_174_an_operator_ends_the_sessions_that_are_meant()
    {
        await using var server = Start();
        await using var stranger = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await using var client = await LogInAsync(server);
        var open = Assert.Single(server.Sessions, static s => s.Login is not null);
        Assert.True(open is { Login: "lisa", LoginProvenBy: "lisa", Mechanism: "PLAIN", Phase: Phase.Ready, Tls: null });
        Assert.Equal(1, server.EndSessions(s => s.Id == open.Id));
        await client.ExpectAsync("421 4.3.2");
        await stranger.SayAsync("NOOP", "250");
    }

    /// <summary>Without its 250 the client would send the message again.</summary>
    [Fact]
    public async Task Row_174_a_message_that_is_being_stored_has_its_answer_before_the_session_ends()
    {
        await using var server = Start();
        await using var client = await LogInAsync(server);
        await BeginAsync(client, inChunks: false);
        store.Waits = true;
        var answer = client.AskAsync(".");
        await store.Committing.Task;
        Assert.Equal(1, server.EndSessions(static _ => true));
        store.Go.SetResult();
        Assert.StartsWith("250 2.0.0", await answer);
        await client.ExpectAsync("421 4.3.2");
    }

    private static async Task BeginAsync(SmtpDialogue client, bool inChunks)
    {
        await client.SayAsync("MAIL FROM:<lisa@example.org>", "250");
        await client.SayAsync("RCPT TO:<bart@example.net>", "250");
        if (inChunks)
            await client.SayAsync("BDAT 4\r\nhi", "250");
        else
            await client.SayAsync("DATA", "354");
    }

    private static Task<string> EndAsync(SmtpDialogue client, bool inChunks) => client.AskAsync(inChunks ? "BDAT 0 LAST" : "hi\r\n.");

    private static async Task<SmtpDialogue> LogInAsync(SmtpServer server)
    {
        var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
        await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("lisa", "tiger")}", "235");
        return client;
    }

    private SmtpServer Start()
    {
        var options = new SmtpServerOptions { Store = store, Policy = new TestPolicy(), Clock = clock, Events = told };
        options.Listen(0, TlsMode.None);
        options.Listeners = [options.Listeners[0] with { Auth = AuthMode.Always }];
        options.Authenticate((_, _, _, _) => new(new AuthenticationResult.Accepted { Authority = authority }), CredentialKinds.Passwords);
        var server = new SmtpServer(options);
        server.Start();
        return server;
    }

    private sealed class Authority : ILoginAuthority
    {
        private volatile Func<LoginAnswer> ask = static () => LoginAnswer.Holds.Instance;

        public Func<LoginAnswer> Ask { set => ask = value; }

        public LoginAnswer Answer { set => ask = () => value; }

        public ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) => new(ask());
    }

    private sealed class Reviews : ISmtpEvents
    {
        public ConcurrentQueue<LoginAnswer> Heard { get; } = new();

        public void OnLoginReviewed(SessionState session, LoginAnswer review) => Heard.Enqueue(review);
    }

    /// <summary>Where the test wants it, a commit waits.</summary>
    private sealed class GatedStore : IMessageStore
    {
        public MemoryStore Inner { get; } = new();

        public TaskCompletionSource Committing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public StoreFeatures Honours => Inner.Honours;

        public bool Waits { get; set; }

        public async ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
            await Inner.BeginAsync(session, transaction, ct) is DraftAnswer.Open(var draft) ? new DraftAnswer.Open(new Draft(this, draft)) : throw new InvalidOperationException();

        private sealed class Draft(GatedStore store, IMessageDraft inner) : IMessageDraft
        {
            public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => inner.AppendAsync(content, ct);

            public async ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
            {
                store.Committing.TrySetResult();
                if (store.Waits)
                    await store.Go.Task;
                return await inner.CommitAsync(ct);
            }

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
