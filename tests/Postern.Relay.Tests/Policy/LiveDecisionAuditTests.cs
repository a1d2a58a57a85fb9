using Postern.Relay.Audit;
using Postern.Relay.Policy;
using Postern.Relay.Tests.Audit;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;

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
}
