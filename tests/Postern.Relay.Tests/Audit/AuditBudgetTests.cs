using System.Net;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Explaining;
using Postern.Relay.Tests.Policy;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Testing;

namespace Postern.Relay.Tests.Audit;

/// <summary>What a client can make the log write, and what is still found of it.</summary>
public sealed class AuditBudgetTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Row_130_of_one_thing_from_one_place_ten_a_minute_are_written_and_one_event_counts_the_rest()
    {
        await using (var log = Open())
        {
            for (var minute = 0; minute < 2; minute++)
            {
                for (var i = 0; i < 100; i++)
                    log.Append(Login(Judge.Stranger, AuthOutcome.Failed));
                clock.Advance(TimeSpan.FromMinutes(1));
            }

            await log.FlushAsync(Ct);
            Assert.Equal(0, log.Dropped);
        }

        var events = await directory.FindAsync();
        Assert.Equal(20, events.OfType<LoginEvent>().Count());
        Assert.Equal([90, 90], events.OfType<CoalescedEvent>().Select(static e => e.Count));
        Assert.All(events.OfType<CoalescedEvent>(), static e => Assert.Equal((AuditKind.Auth, Judge.Stranger, "failed"), (e.Counted, e.Client, e.What)));
    }

    [Fact]
    public async Task Row_130_other_places_other_things_and_other_users_are_written_whatever_one_place_does()
    {
        await using (var log = Open())
        {
            for (var i = 0; i < 1_000; i++)
                log.Append(Login("2001:db8::1", AuthOutcome.Failed));
            log.Append(Login("2001:db8::ffff", AuthOutcome.Failed)); // the same /64
            log.Append(Login("2001:db8:0:1::1", AuthOutcome.Failed));
            log.Append(Login("192.0.2.1", AuthOutcome.Failed));
            log.Append(Login("2001:db8::1", AuthOutcome.Cancelled));
            log.Append(Login("2001:db8::1", AuthOutcome.Failed, detail: "lisa"));
            log.Append(Login("2001:db8::1", AuthOutcome.Ok, login: "lisa"));
        }

        var events = await directory.FindAsync();
        Assert.Equal(15, events.OfType<LoginEvent>().Count());
        Assert.Equal(991, Assert.Single(events.OfType<CoalescedEvent>()).Count);
    }

    [Fact]
    public async Task A_client_that_is_exempt_repeats_itself_as_one_that_has_logged_in()
    {
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, Exempt = [IPNetwork.Parse("192.0.2.0/24")] }, clock))
        {
            for (var i = 0; i < 100; i++)
            {
                log.Append(Login("::ffff:192.0.2.7", AuthOutcome.Failed));
                log.Append(Login("198.51.100.7", AuthOutcome.Failed));
            }
        }

        var events = await directory.FindAsync();
        Assert.Equal(110, events.OfType<LoginEvent>().Count());
        Assert.Equal(90, Assert.Single(events.OfType<CoalescedEvent>()).Count);
    }

    [Fact]
    public async Task Row_131_strangers_from_everywhere_have_a_bound_in_octets_and_a_login_is_still_written()
    {
        await using (var log = Open())
        {
            for (var i = 0; i < 50_000; i++)
            {
                log.Append(Login(new IPAddress(i + 0x0100_0000L).ToString(), AuthOutcome.Failed));
                if (i % 1_000 == 0)
                    await log.FlushAsync(Ct);
            }

            log.Append(Login("192.0.2.1", AuthOutcome.Ok, login: "lisa"));
            await log.FlushAsync(Ct);
            Assert.Equal(0, log.Dropped);
        }

        var size = new FileInfo(directory.FileOf("auth-2026-11-20.jsonl")).Length;
        Assert.InRange(size, 100_000, AuditBudget.StrangersBurst + (1024 * 1024));
        var events = await directory.FindAsync();
        Assert.Single(events.OfType<LoginEvent>(), static e => e.Outcome == AuthOutcome.Ok);
        Assert.Equal(50_001, events.OfType<LoginEvent>().Count() + events.OfType<CoalescedEvent>().Sum(static e => e.Count));
    }

    [Fact]
    public async Task Row_131_messages_that_strangers_gave_are_all_told_unless_they_come_in_thousands_a_second()
    {
        const int Messages = 100_000;
        await using (var log = Open())
        {
            for (var i = 0; i < Messages; i++)
            {
                var address = new IPAddress((i % 3_000) + 0x0100_0000L);
                log.Append(AuditDirectory.Accepted(clock.GetUtcNow(), $"{i}") with { Cause = new AuditCause(AuditKind.Mail, address, Login: null, "accepted") { IsMessage = true } });
                if (i % 1_000 == 0)
                    await log.FlushAsync(Ct);
            }

            await log.FlushAsync(Ct);
            Assert.Equal(0, log.Dropped);
        }

        var events = await directory.FindAsync();
        Assert.InRange(events.OfType<AcceptedEvent>().Count(), 15_000, 40_000);
        Assert.Equal(Messages, events.OfType<AcceptedEvent>().Count() + events.OfType<CoalescedEvent>().Sum(static e => e.Count));
    }

    [Fact]
    public async Task Row_132_recipients_that_are_permitted_in_transactions_without_end_are_counted_too()
    {
        await using (var log = Open())
        {
            var policy = new RelayPolicy(new PolicyOptions(), new Judge().Directory, log, clock);
            for (var i = 0; i < 500; i++)
                Assert.IsType<Verdict.Permit>(await policy.OnRecipientAsync(Judge.WithSender(Judge.Session(), "x@far.example"), Mailbox.Parse($"r{i}@example.org"), Ct));
        }

        var events = await directory.FindAsync();
        Assert.Equal(10, events.OfType<DecisionEvent>().Count());
        Assert.Equal(490, Assert.Single(events.OfType<CoalescedEvent>()).Count);
    }

    [Fact]
    public async Task Row_133_the_reference_in_every_reply_is_found_even_where_the_event_was_only_counted()
    {
        var references = new HashSet<string>();
        await using (var log = Open())
        {
            var policy = new RelayPolicy(new PolicyOptions(), new Judge().Directory, log, clock);
            for (var i = 0; i < 5_000; i++)
            {
                var session = Judge.WithSender(Judge.Session(client: i % 2 == 0 ? Judge.Stranger : new IPAddress(i + 0x0100_0000L).ToString()), "x@far.example");
                var refuse = Assert.IsType<Verdict.Refuse>(await policy.OnRecipientAsync(session, Mailbox.Parse("a@far.example"), Ct));
                references.Add(refuse.Reply.Lines[0][^(DecisionReference.Length + 1)..^1]);
            }
        }

        Assert.InRange(references.Count, 100, 3_000);
        var explainer = new Explainer(directory.Search);
        foreach (var reference in references)
            Assert.NotEmpty(Assert.IsType<Explanation.OfReference>(await explainer.ExplainAsync(reference, Ct)).Decisions);
        var told = Assert.IsType<Explanation.OfReference>(await explainer.ExplainAsync(references.First(), Ct));
        Assert.Equal(2_490, Assert.Single(told.Repeats).Count);
    }

    /// <summary>The attack that was run: MAIL and 98 refused RCPT in a group, again and again, from one address. A MB a second made 61 MB of log.</summary>
    [Fact]
    public async Task Row_134_a_megabyte_of_refused_recipients_makes_a_hundredth_of_it_in_log()
    {
        const int Refused = 98;
        long received = 0;
        await using (var log = Open())
        {
            var policy = new RelayPolicy(new PolicyOptions(), new Judge().Directory, log, clock);
            while (received < 3_000_000)
            {
                received += "MAIL FROM:<x@far.example>\r\n".Length + (Refused * "RCPT TO:<a@b.example>\r\n".Length);
                var session = Judge.WithSender(Judge.Session(), "x@far.example");
                await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct);
                for (var i = 0; i < Refused; i++)
                    Assert.IsType<Verdict.Refuse>(await policy.OnRecipientAsync(session, Mailbox.Parse("a@b.example"), Ct));
                clock.Advance(TimeSpan.FromMilliseconds(2)); // about a megabyte a second
            }
        }

        Assert.InRange(Directory.GetFiles(directory.Path).Sum(static f => new FileInfo(f).Length), 1, received / 100);
    }

    [Fact]
    public async Task Row_135_a_disk_that_takes_nothing_keeps_strangers_waiting_and_nobody_else()
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, QueueOctets = 0 }, clock);
        var stranger = log.AskAsync(Cause(login: null), Ct).AsTask();
        var known = await log.AskAsync(Cause(login: "lisa"), Ct);
        Assert.Equal(AuditStanding.Whole, known.Standing);
        Assert.False(stranger.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(AuditStanding.Repeat, (await stranger).Standing);
    }

    private static AuditCause Cause(string? login) => new(AuditKind.Policy, IPAddress.Loopback, login, "recipient", "end_of_list", 550);

    private JsonLinesAuditLog Open() => new(new AuditLogOptions { Directory = directory.Path }, clock);

    private LoginEvent Login(string client, AuthOutcome outcome, string? login = null, string? detail = null) =>
        AuditDirectory.Login(clock.GetUtcNow(), client: client) with
        {
            Outcome = outcome,
            Cause = new AuditCause(AuditKind.Auth, IPAddress.Parse(client), login, EventWord.Of(outcome), detail),
        };
}
