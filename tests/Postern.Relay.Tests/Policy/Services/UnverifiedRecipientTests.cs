using System.Globalization;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Services;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Policy.Services;

/// <summary>Recipients that their own servers refuse: a scripted server behind a route says who is there.</summary>
public sealed class UnverifiedRecipientTests : IAsyncDisposable
{
    private readonly ScriptedSink sink = new();
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => sink.DisposeAsync();

    [Theory]
    [InlineData(SinkPhase.Rcpt, "250 2.1.5 Ok", null)]
    [InlineData(SinkPhase.Rcpt, "252 Cannot verify", null)]
    [InlineData(SinkPhase.Rcpt, "550 5.1.1 no such user", "550 5.1.1 <b@example.org>: Recipient address rejected: undeliverable address")]
    [InlineData(SinkPhase.Rcpt, "550 no", "550 5.1.1 <b@example.org>: Recipient address rejected: undeliverable address")]
    [InlineData(SinkPhase.Rcpt, "550 5.2.1 disabled", "550 5.1.1 <b@example.org>: Recipient address rejected: undeliverable address")]
    [InlineData(SinkPhase.Rcpt, "554 5.7.1 Service unavailable; Client host blocked using a list", "451 4.3.0 Temporary failure, try again later")]
    [InlineData(SinkPhase.Rcpt, "552 5.2.2 mailbox full", "451 4.3.0 Temporary failure, try again later")]
    [InlineData(SinkPhase.Rcpt, "450 4.2.0 greylisted", "451 4.3.0 Temporary failure, try again later")]
    [InlineData(SinkPhase.Mail, "550 5.7.1 no null sender here", "451 4.3.0 Temporary failure, try again later")]
    [InlineData(SinkPhase.Connect, "554 5.7.1 go away", "451 4.3.0 Temporary failure, try again later")]
    [InlineData(SinkPhase.Rcpt, "421 4.3.2 closing", "451 4.3.0 Temporary failure, try again later")]
    public async Task What_its_server_says_of_the_recipient_counts(SinkPhase phase, string said, string? reply)
    {
        sink.Options = SinkOptions.At(phase, new SinkAction.Reply(said));
        Assert.Equal(reply, await ReplyAsync(Policy("reject_unverified_recipient")));
        Assert.Empty(sink.Messages);
        Assert.DoesNotContain("C: DATA", sink.Transcript(0));
        Assert.Contains(said, audit.Events.OfType<Postern.Relay.Audit.Events.DecisionEvent>().Last().Chain[0].Saw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_asked_with_the_null_sender_and_taken_leave_of()
    {
        Assert.Null(await ReplyAsync(Policy("reject_unverified_recipient")));
        Assert.Equal(["C: MAIL FROM:<>", "C: RCPT TO:<b@example.org>", "C: QUIT"], sink.Transcript(0).Where(static line => line.StartsWith("C: ", StringComparison.Ordinal)).Skip(1));
    }

    [Fact]
    public async Task What_was_said_is_remembered_for_its_time()
    {
        sink.Options = SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Reply("550 5.1.1 no such user"));
        var policy = Policy("reject_unverified_recipient positive_ttl: 3h, negative_ttl: 10m");
        Assert.StartsWith("550", await ReplyAsync(policy), StringComparison.Ordinal);
        sink.Options = new SinkOptions();
        clock.Advance(TimeSpan.FromMinutes(9));
        Assert.StartsWith("550", await ReplyAsync(policy), StringComparison.Ordinal);
        Assert.StartsWith("550", (await DryRunAsync(policy)).Reply?.ToString(), StringComparison.Ordinal);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("the server of example.org is not asked in advance", (await DryRunAsync(policy)).Chain[0].Saw);
        Assert.Null(await ReplyAsync(policy));
        clock.Advance(TimeSpan.FromMinutes(170));
        Assert.Null(await ReplyAsync(policy));
        Assert.Equal(2, sink.Connections);
    }

    /// <summary>Our own trouble, and the server's, is not a recipient that is not there.</summary>
    [Fact]
    public async Task A_server_that_hangs_or_is_gone_says_nothing_of_anybody()
    {
        var heard = new TaskCompletionSource();
        sink.Options = new SinkOptions
        {
            Script = (phase, _, _) =>
            {
                if (phase != SinkPhase.Rcpt)
                    return null;
                heard.TrySetResult();
                return new SinkAction.Hang();
            },
        };
        var policy = Policy("reject_unverified_recipient timeout: 2s");
        var reply = ReplyAsync(policy);
        await heard.Task;
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await reply);
        var passing = Policy("reject_unverified_recipient on_error: pass");
        await sink.DisposeAsync();
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await ReplyAsync(policy));
        Assert.Null(await ReplyAsync(passing));
    }

    [Theory]
    [InlineData("550 5.1.1 no such user", "a@foreign.test", null, "450 4.1.7 <a@foreign.test>: Sender address rejected: undeliverable address")]
    [InlineData("250 Ok", "a@foreign.test", null, null)]
    [InlineData("450 4.2.0 later", "a@foreign.test", null, "451 4.3.0 Temporary failure, try again later")]
    [InlineData("550 5.1.1 no such user", "", null, null)]
    [InlineData("550 5.1.1 no such user", "a@foreign.test", "alice", null)]
    public async Task A_sender_is_asked_for_likewise_and_no_null_sender_and_no_login(string said, string sender, string? login, string? reply)
    {
        sink.Options = SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Reply(said));
        var session = AskedSession.Session(sender, login);
        Assert.Equal(reply, await AskedSession.ReplyAsync(Policy("reject_unverified_sender"), session));
        Assert.Equal(sender.Length > 0 && login is null ? 1 : 0, sink.Connections);
    }

    /// <summary>Strangers choose the names.</summary>
    [Fact]
    public async Task Twenty_recipients_are_asked_for_at_a_time()
    {
        var probe = new SilentProbe();
        var recipients = new VerifiedRecipients(probe, clock);
        using var end = new CancellationTokenSource();
        var questions = Enumerable.Range(0, 30).Select(i => recipients.AskAsync(Mailbox.Parse($"b{i}@example.org"), end.Token).AsTask()).ToList();
        Assert.Equal(VerifiedRecipients.MostQuestions, probe.Asked);
        await end.CancelAsync();
        foreach (var question in questions)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => question);
    }

    [Theory]
    [InlineData("b@foreign.test", "reject_unverified_recipient", 0)]
    [InlineData("b@foreign.test", "reject_unverified_recipient of: all", 1)]
    [InlineData("alias@example.org", "reject_unverified_recipient", 0)]
    public async Task Nobody_is_asked_about_others_domains_or_what_an_alias_names(string recipient, string rule, int connections)
    {
        Assert.Null(await ReplyAsync(Policy(rule), recipient));
        Assert.Equal(connections, sink.Connections);
    }

    [Theory]
    [InlineData("discard:", null)]
    [InlineData("error:550 5.1.1 nobody", "550 5.1.1 <b@example.org>: Recipient address rejected: undeliverable address")]
    public async Task A_place_in_the_stead_of_a_server_is_no_server(string via, string? reply) =>
        Assert.Equal(reply, await ReplyAsync(Policy("reject_unverified_recipient", via: via)));

    private static async Task<string?> ReplyAsync(RelayPolicy policy, string recipient = "b@example.org")
    {
        var session = AskedSession.Session();
        return await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct) is not Verdict.Refuse
            && await policy.OnRecipientAsync(session, Mailbox.Parse(recipient), Ct) is Verdict.Refuse(var reply, _)
                ? reply.ToString()[..reply.ToString().LastIndexOf(" (ref ", StringComparison.Ordinal)]
                : null;
    }

    private static ValueTask<Decision> DryRunAsync(RelayPolicy policy) =>
        policy.DryRunAsync(Judge.Facts(), Judge.Path("a@foreign.test"), Mailbox.Parse("b@example.org"), Ct);

    private RelayPolicy Policy(string rule, string? via = null)
    {
        var routes = RouteTable.Parse([new Route("*", via ?? string.Create(CultureInfo.InvariantCulture, $"smtp://127.0.0.1:{sink.Port}"))]);
        var options = new DeliveryOptions { Hostname = Domain.Parse("mail.example.org"), Routes = Assert.IsType<RouteParse.Ok>(routes).Table };
        return new RelayPolicy(
            new PolicyOptions { SenderRules = [], RecipientRules = [rule, "permit"], Recipients = new OneAlias() },
            new Judge().Directory,
            audit,
            clock)
        {
            Services = new PolicyServices(clock) { Recipients = new VerifiedRecipients(new RecipientProbe(options, clock), clock) },
        };
    }

    private sealed class SilentProbe : IRecipientProbe
    {
        private int asked;

        public int Asked => Volatile.Read(ref asked);

        public async ValueTask<ProbeAnswer> AskAsync(Mailbox recipient, CancellationToken ct)
        {
            Interlocked.Increment(ref asked);
            await Task.Delay(Timeout.Infinite, ct);
            throw new InvalidOperationException("it has no end");
        }
    }

    private sealed class OneAlias : IListedRecipients
    {
        public string? WhyListed(Mailbox recipient) => null;

        public bool IsLocal(Domain domain) => false;

        public bool IsExpanded(Mailbox recipient) => recipient.LocalPart == "alias";
    }
}
