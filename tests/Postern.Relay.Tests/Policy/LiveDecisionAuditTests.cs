using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Explaining;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Audit;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Policy;

/// <summary>From the reply of a live session back to the decision behind it.</summary>
public sealed class LiveDecisionAuditTests
{
    [Fact]
    public async Task The_reference_of_a_reply_leads_back_to_its_decision_and_a_hostile_client_to_one_line()
    {
        var ct = TestContext.Current.CancellationToken;
        using var directory = new AuditDirectory();
        var session = Judge.Session(login: "x\r\n\u001b[2J\u202e{\"at\":");
        session.HeloName = "evil\r\n{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"server\",\"what\":\"forged\",\"detail\":\"\"}\r\n";
        string reference;
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, TimeProvider.System))
        {
            var policy = new RelayPolicy(new PolicyOptions(), new Judge().Directory, log, TimeProvider.System);
            var refuse = Assert.IsType<Verdict.Refuse>(await policy.OnSenderAsync(session, new ReversePath(Mailbox.Parse("\"a%s$(b)\"@example.org")), ct));
            Assert.DoesNotContain('\n', refuse.Reply.Lines[0]);
            reference = refuse.Reply.Lines[0][^(DecisionReference.Length + 1)..^1];
        }

        var found = Assert.IsType<Explanation.OfReference>(await new Explainer(directory.Search).ExplainAsync(reference, ct));
        var decision = Assert.Single(found.Decisions);
        Assert.Equal(session.HeloName, decision.Helo);
        Assert.Equal(session.Identity!.AuthorizationId, decision.User);
        Assert.Single(await File.ReadAllLinesAsync(Assert.Single(Directory.GetFiles(directory.Path)), ct));
    }

    [Fact]
    public async Task A_message_names_the_decisions_that_let_it_in_and_none_of_the_message_before()
    {
        var ct = TestContext.Current.CancellationToken;
        var audit = new RecordingAuditLog();
        var policy = new RelayPolicy(new PolicyOptions(), new Judge().Directory, audit, TimeProvider.System);
        await using var spool = new MemorySpool();
        var store = new SubmissionStore(spool, audit, TimeProvider.System, policy: policy);
        var session = Judge.Session(login: "alice");
        foreach (var recipients in new string[][] { ["a@b.example", "c@d.example"], ["e@f.example"] })
        {
            Assert.IsType<Verdict.Pass>(await policy.OnSenderAsync(session, Judge.Path("alice@example.org"), ct));
            Judge.WithSender(session, "alice@example.org");
            foreach (var recipient in recipients)
            {
                var permit = Assert.IsType<Verdict.Permit>(await policy.OnRecipientAsync(session, Mailbox.Parse(recipient), ct));
                session.Transaction!.Add(Mailbox.Parse(recipient), RecipientParameters.None, permit.Rule);
            }

            await using var draft = Assert.IsType<DraftAnswer.Open>(await store.BeginAsync(session, session.Transaction!, ct)).Draft;
            await draft.AppendAsync("From: alice@example.org\r\n\r\nx\r\n"u8.ToArray(), ct);
            Assert.IsType<StoreOutcome.Stored>(await draft.CommitAsync(ct));
        }

        var decided = audit.Events.OfType<DecisionEvent>().Select(static e => e.Ref).ToArray();
        Assert.Equal(3, decided.Distinct().Count());
        Assert.Equal([decided[..2], decided[2..]], audit.Events.OfType<AcceptedEvent>().Select(static e => e.Refs.ToArray()));
    }
}
