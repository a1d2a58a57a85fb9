using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Services;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Said = Postern.Testing.ScriptedPolicyService.Said;

namespace Postern.Relay.Tests.Policy.Services;

/// <summary>Services with Postfix's policy protocol: what they are asked, what is done of what they say, and what counts when they do not.</summary>
public sealed class PolicyServiceTests
{
    private readonly AskedSession asked = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private DecisionEvent Last => asked.Last;

    [Theory]
    [InlineData("OK", null)]
    [InlineData("permit", null)]
    [InlineData("OK and more words", null)]
    [InlineData("DUNNO", "550 5.7.1 <b@foreign.test>: Relay access denied")]
    [InlineData("dunno", "550 5.7.1 <b@foreign.test>: Relay access denied")]
    [InlineData("WARN look at this", "550 5.7.1 <b@foreign.test>: Relay access denied")]
    [InlineData("REJECT", "554 5.7.1 Access denied")]
    [InlineData("REJECT not today", "554 5.7.1 not today")]
    [InlineData("REJECT 5.7.23 SPF fail", "554 5.7.23 SPF fail")]
    [InlineData("reject caf\u00e9", "554 5.7.1 caf?")]
    [InlineData("DEFER", "450 4.7.1 Access denied for now, try again later")]
    [InlineData("550 5.1.1 nobody", "550 5.1.1 nobody")]
    [InlineData("450 later", "450 4.7.1 later")]
    [InlineData("DISCARD", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("FILTER smtp:[127.0.0.1]:10025", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("421 bye", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("250 ok", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("REDIRECT nobody", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("PREPEND no field", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("LIST none", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("LIST strict", "554 5.7.1 Access denied")]
    public async Task What_it_answers_is_done(string action, string? reply)
    {
        await using var service = new ScriptedPolicyService(action);
        Assert.Equal(reply, await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service {service.Place}", "reject_unauth_destination"])));
    }

    [Fact]
    public async Task Its_OK_need_not_permit()
    {
        await using var service = new ScriptedPolicyService("OK");
        Assert.Equal("550 5.7.1 <b@foreign.test>: Relay access denied", await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service at: {service.Place}, ok: pass", "reject_unauth_destination"])));
        Assert.EndsWith("; ok is pass", Last.Chain[0].Saw, StringComparison.Ordinal);
    }

    /// <summary>What is not understood permits nothing, and refuses whatever <c>on_error</c> says.</summary>
    [Fact]
    public async Task What_is_not_done_here_is_refused_and_told()
    {
        await using var service = new ScriptedPolicyService("FILTER smtp:[127.0.0.1]:10025");
        Assert.StartsWith("451 4.3.5", await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service at: {service.Place}, on_error: pass", "permit"])), StringComparison.Ordinal);
        var step = Assert.Single(Last.Chain);
        Assert.Contains($"{service.Place} answered \"FILTER smtp:[127.0.0.1]:10025\" after ", step.Saw, StringComparison.Ordinal);
        Assert.Contains(": no action is called FILTER", step.Saw, StringComparison.Ordinal);
        Assert.Equal($"have {service.Place} answer with an action that docs/rules.md lists", step.Remedy);
    }

    [Theory]
    [InlineData("no lines at all", "it closed the connection in the middle of its answer")]
    [InlineData("action=OK", "it closed the connection in the middle of its answer")]
    [InlineData("action=OK\n", "it closed the connection in the middle of its answer")]
    [InlineData("\n", "its answer has no action")]
    [InlineData("action=\n\n", "its answer has no action")]
    [InlineData("reason=x\n\n", "its answer has no action")]
    [InlineData("OK\n\n", "a line of its answer is not name=value")]
    [InlineData("action=OK\naction=REJECT\n\n", "its answer has two actions")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", "a line of its answer is not name=value")]
    [InlineData("", "it closed the connection without an answer")]
    public async Task What_is_no_answer_lets_nobody_through(string octets, string why)
    {
        await using var service = new ScriptedPolicyService(_ => Said.Text(octets, ends: true));
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"]);
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await AskedSession.ReplyAsync(policy));
        Assert.StartsWith($"{service.Place}: {why} (after ", Assert.Single(Last.Chain).Saw, StringComparison.Ordinal);
        Assert.Equal($"see that the policy service at {service.Place} runs and answers", Last.Chain[0].Remedy);
    }

    [Fact]
    public async Task Ten_megabytes_are_not_read()
    {
        await using var service = new ScriptedPolicyService(_ => Said.Text("action=" + new string('x', 10_000_000)));
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service {service.Place}", "permit"])));
        Assert.Contains("its answer is longer than 8 KiB", Last.Chain[0].Saw, StringComparison.Ordinal);
    }

    /// <summary>CR and NUL make neither a line of a reply nor one of a header; an LF ends the line of the protocol.</summary>
    [Theory]
    [InlineData("REJECT a\rb\0c", "554 5.7.1 a?b?c")]
    [InlineData("550 5.1.1 a\r", "550 5.1.1 a")]
    [InlineData("REJECT\r250 OK", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("PREPEND X-A: b\rX-C: d", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("PREPEND X-A: b\0", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("HOLD a\rb", null)]
    [InlineData("REJECT a\nX-Injected: b", "451 4.3.0 Temporary failure, try again later")]
    [InlineData("REDIRECT a@b.test\r", null)]
    [InlineData("REDIRECT a@b.test\0", "451 4.3.5 Server configuration problem, try again later")]
    public async Task An_answer_injects_nothing(string action, string? reply)
    {
        await using var service = new ScriptedPolicyService(action);
        var session = AskedSession.Session();
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"]);
        Assert.Equal(reply, await AskedSession.ReplyAsync(policy, session));
        if (action.StartsWith("HOLD", StringComparison.Ordinal))
            Assert.Equal([new MessageEffect.Hold("a?b") { Rule = "check_policy_service" }], await AskedSession.EffectsAsync(policy, session));
    }

    [Fact]
    public async Task A_long_refusal_is_cut_and_stays_one()
    {
        await using var service = new ScriptedPolicyService("550 5.7.23 " + new string('y', 5000));
        var reply = await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service {service.Place}", "permit"]));
        Assert.StartsWith("550 5.7.23 yyy", reply, StringComparison.Ordinal);
        Assert.InRange(reply!.Length, 300, 480);
    }

    [Theory]
    [InlineData("PREPEND X-Origin: a scanner, on floor 2")]
    [InlineData("HOLD looked at first")]
    [InlineData("BCC archive@example.org")]
    [InlineData("REDIRECT catch@example.org")]
    public async Task What_is_to_be_done_with_the_message_is_kept_with_it(string action)
    {
        await using var service = new ScriptedPolicyService(action);
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"]);
        var session = AskedSession.Session();
        Assert.Null(await AskedSession.ReplyAsync(policy, session));
        MessageEffect expected = action[..3] switch
        {
            "PRE" => new MessageEffect.Prepend("X-Origin: a scanner, on floor 2"),
            "HOL" => new MessageEffect.Hold("looked at first") { Rule = "check_policy_service" },
            "BCC" => new MessageEffect.Copy(Mailbox.Parse("archive@example.org")),
            _ => new MessageEffect.Redirect(Mailbox.Parse("catch@example.org")),
        };
        Assert.Equal([expected], await AskedSession.EffectsAsync(policy, session));
    }

    /// <summary>As long as a Received-SPF field is.</summary>
    [Fact]
    public async Task A_field_may_be_as_long_as_a_line()
    {
        var field = "X-Long: " + new string('z', 900);
        await using var service = new ScriptedPolicyService($"PREPEND {field}");
        var session = AskedSession.Session();
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"]);
        Assert.Null(await AskedSession.ReplyAsync(policy, session));
        Assert.Equal([new MessageEffect.Prepend(field)], await AskedSession.EffectsAsync(policy, session));
    }

    [Theory]
    [InlineData("DEFER_IF_PERMIT Greylisted", "permit", "450 4.7.1 Greylisted")]
    [InlineData("DEFER_IF_PERMIT 4.2.0 Greylisted", "permit", "450 4.2.0 Greylisted")]
    [InlineData("DEFER_IF_PERMIT Greylisted", "reject_unauth_destination", "550 5.7.1 <b@foreign.test>: Relay access denied")]
    [InlineData("DEFER_IF_REJECT not sure", "permit", null)]
    [InlineData("DEFER_IF_REJECT not sure", "reject_unauth_destination", "450 4.7.1 not sure")]
    [InlineData("DEFER_IF_REJECT not sure", "defer own words", "450 4.7.1 own words")]
    public async Task A_deferral_waits_for_what_later_rules_say(string action, string next, string? reply)
    {
        await using var service = new ScriptedPolicyService(action);
        Assert.Equal(reply, await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service {service.Place}", next])));
        // Of a stage before it as well.
        Assert.Equal(reply, await AskedSession.ReplyAsync(asked.Policy([next], sender: [$"check_policy_service {service.Place}"])));
        // And not of a rule on trial.
        Assert.Equal(await AskedSession.ReplyAsync(asked.Policy([next])), await AskedSession.ReplyAsync(asked.Policy([$"warn_if_check_policy_service {service.Place}", next])));
    }

    [Fact]
    public async Task A_service_that_is_down_is_told_with_what_would_help()
    {
        var service = new ScriptedPolicyService("OK");
        var place = service.Place;
        await service.DisposeAsync();
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service {place}", "permit"])));
        Assert.StartsWith($"{place}: nobody listens there", Last.Chain[0].Saw, StringComparison.Ordinal);
        Assert.Equal("550 5.7.1 This cannot be checked, and is refused", await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service at: {place}, on_error: refuse", "permit"])));
        Assert.Null(await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service at: {place}, on_error: pass", "permit"])));
        Assert.StartsWith("451", await AskedSession.ReplyAsync(asked.Policy(["check_policy_service unix:/nowhere/at/all", "permit"])), StringComparison.Ordinal);
        Assert.StartsWith("unix:/nowhere/at/all: there is no /nowhere/at/all", Last.Chain[0].Saw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_hangs_is_not_waited_for()
    {
        var clock = new ManualClock();
        var heard = new TaskCompletionSource();
        await using var service = new ScriptedPolicyService(_ =>
        {
            heard.TrySetResult();
            return Said.Text("action=OK\n");
        });
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"], clock: clock);
        var reply = AskedSession.ReplyAsync(policy);
        await heard.Task;
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await reply);
        Assert.Equal($"{service.Place}: no answer in time (after 2000 ms)", Last.Chain[0].Saw);
    }

    [Fact]
    public async Task One_connection_serves_question_after_question()
    {
        await using var service = new ScriptedPolicyService("DUNNO");
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"]);
        for (var i = 0; i < 5; i++)
            Assert.Null(await AskedSession.ReplyAsync(policy));
        Assert.Equal((5, 1), (service.Asked.Count, service.Connections));
    }

    [Fact]
    public async Task A_connection_that_was_closed_meanwhile_is_followed_by_another()
    {
        await using var service = new ScriptedPolicyService("DUNNO");
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"]);
        Assert.Null(await AskedSession.ReplyAsync(policy));
        service.CutOff();
        Assert.Null(await AskedSession.ReplyAsync(policy));
        Assert.Equal(2, service.Connections);
    }

    [Fact]
    public async Task Fifty_questions_are_under_way_and_the_next_waits_within_its_own_time()
    {
        var clock = new ManualClock();
        var heard = 0;
        var all = new TaskCompletionSource();
        await using var service = new ScriptedPolicyService(_ =>
        {
            if (Interlocked.Increment(ref heard) == PolicyService.MostConnections)
                all.TrySetResult();
            return Said.Nothing;
        });
        var policy = asked.Policy([$"check_policy_service {service.Place}", "permit"], clock: clock);
        var replies = Enumerable.Range(0, PolicyService.MostConnections + 10).Select(_ => AskedSession.ReplyAsync(policy)).ToList();
        await all.Task;
        // Those that wait may have a connection in the moment in which the time of all is over.
        Assert.Equal(PolicyService.MostConnections, service.Connections);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.All(await Task.WhenAll(replies), static reply => Assert.StartsWith("451", reply, StringComparison.Ordinal));
    }

    /// <summary>The second answer would be taken for that to the next question, of somebody else.</summary>
    [Fact]
    public async Task What_stands_behind_an_answer_is_no_answer_to_the_next_question()
    {
        await using var service = new ScriptedPolicyService(question =>
            Said.Text(question["sender"].StartsWith('a') ? "action=DUNNO\n\naction=OK\n\n" : "action=REJECT\n\n"));
        var policy = asked.Policy([$"check_policy_service {service.Place}", "reject_unauth_destination"]);
        Assert.StartsWith("550", await AskedSession.ReplyAsync(policy), StringComparison.Ordinal);
        Assert.StartsWith("554", await AskedSession.ReplyAsync(policy, AskedSession.Session(sender: "c@foreign.test")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_asked_over_a_unix_socket()
    {
        var folder = Directory.CreateTempSubdirectory("postern-policy-");
        try
        {
            await using var service = new ScriptedPolicyService(static _ => Said.Action("REJECT by the socket"), Path.Combine(folder.FullName, "policy"));
            Assert.Equal("554 5.7.1 by the socket", await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service {service.Place}", "permit"])));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task It_is_told_what_postfix_would_tell_it()
    {
        await using var service = new ScriptedPolicyService("DUNNO");
        var ask = $"check_policy_service at: {service.Place}, context: \"first: entry\"";
        var policy = asked.Policy([ask, "permit"], sender: [ask], message: [ask], client: [ask]);
        var session = AskedSession.Session(login: "alice");
        session.Transaction!.Add(Mailbox.Parse("b@foreign.test"), RecipientParameters.None, "permit");
        Assert.Null(await AskedSession.ReplyAsync(policy, session));
        await AskedSession.EffectsAsync(policy, session);

        Assert.Equal(["MAIL", "MAIL", "RCPT", "DATA"], service.Asked.Select(static q => q["protocol_state"]));
        Assert.Equal(["0", "0", "0", "1"], service.Asked.Select(static q => q["recipient_count"]));
        Assert.Equal(["", "", "b@foreign.test", "b@foreign.test"], service.Asked.Select(static q => q["recipient"]));
        Assert.Single(service.Asked.Select(static q => q["instance"]).Distinct());
        var question = service.Asked[2];
        var expected = new Dictionary<string, string>
        {
            ["request"] = "smtpd_access_policy",
            ["protocol_state"] = "RCPT",
            ["protocol_name"] = "ESMTP",
            ["client_address"] = "203.0.113.9",
            ["client_name"] = "unknown",
            ["client_port"] = "40123",
            ["reverse_client_name"] = "unknown",
            ["server_address"] = "192.0.2.25",
            ["server_port"] = "587",
            ["helo_name"] = "client.example",
            ["sender"] = "a@foreign.test",
            ["recipient"] = "b@foreign.test",
            ["recipient_count"] = "0",
            ["queue_id"] = "",
            ["instance"] = question["instance"],
            ["size"] = "12345",
            ["etrn_domain"] = "",
            ["stress"] = "",
            ["sasl_method"] = "PLAIN",
            ["sasl_username"] = "alice",
            ["sasl_sender"] = "boss@example.org",
            ["ccert_subject"] = "",
            ["ccert_issuer"] = "",
            ["ccert_fingerprint"] = "",
            ["ccert_pubkey_fingerprint"] = "",
            ["encryption_protocol"] = "TLSv1.3",
            ["encryption_cipher"] = "TLS_AES_256_GCM_SHA384",
            ["encryption_keysize"] = "256",
            ["policy_context"] = "first: entry",
            ["compatibility_level"] = "3.6",
        };
        Assert.Equal(expected.OrderBy(static p => p.Key), question.OrderBy(static p => p.Key));
    }

    /// <summary>A helo name with a line end would be an attribute of its own.</summary>
    [Fact]
    public async Task What_a_client_says_makes_no_attribute()
    {
        await using var service = new ScriptedPolicyService("DUNNO");
        await AskedSession.ReplyAsync(asked.Policy([$"check_policy_service {service.Place}"]), AskedSession.Session(helo: "x\nsasl_username=root\n\n"));
        Assert.Equal("x?sasl_username=root??", Assert.Single(service.Asked)["helo_name"]);
    }

    [Fact]
    public async Task It_is_not_asked_in_advance()
    {
        await using var service = new ScriptedPolicyService("OK");
        var policy = asked.Policy([$"check_policy_service {service.Place}", "reject_unauth_destination"]);
        var decision = await policy.DryRunAsync(Judge.Facts(), Judge.Path("a@foreign.test"), Mailbox.Parse("b@foreign.test"), Ct);
        Assert.Equal("550 reject_unauth_destination", Judge.Outcome(decision));
        Assert.Equal($"{service.Place} is not asked in advance", decision.Chain[0].Saw);
        Assert.Empty(service.Asked);
    }

    [Theory]
    [InlineData("inet:127.0.0.1:10023", true)]
    [InlineData("inet:[::1]:10023", true)]
    [InlineData("inet:policy.example.org:10023", true)]
    [InlineData("unix:/run/policy", true)]
    [InlineData("inet:127.0.0.1", false)]
    [InlineData("inet:127.0.0.1:0", false)]
    [InlineData("inet::10023", false)]
    [InlineData("inet:::1:10023", false)]
    [InlineData("127.0.0.1:10023", false)]
    [InlineData("unix:private/policy", false)]
    [InlineData("tcp:127.0.0.1:1", false)]
    public void A_place_is_written_as_postfix_writes_it(string text, bool isRead) => Assert.Equal(isRead, PolicyPlace.Kind.Read(text, out _));

    [Theory]
    [InlineData("2s", 2000)]
    [InlineData("500ms", 500)]
    [InlineData("60s", 60_000)]
    [InlineData("61s", -1)]
    [InlineData("5ms", -1)]
    [InlineData("2", -1)]
    [InlineData("2ss", -1)]
    [InlineData("2m", -1)]
    public void A_wait_has_its_bounds(string text, int milliseconds) =>
        Assert.Equal(milliseconds, ArgumentKinds.Wait.Read(text, out var wait) ? wait.TotalMilliseconds : -1);
}
