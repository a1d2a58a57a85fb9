using Postern.Relay.Tests.Policy.Services;

namespace Postern.Relay.Tests.Policy;

/// <summary>Clients that do not wait for replies are refused where the rule stands; which they are, the session says.</summary>
public sealed class UnauthPipeliningTests
{
    [Theory]
    [InlineData("reject_unauth_pipelining", "DATA", "503 5.5.0 Improper use of SMTP command pipelining")]
    [InlineData("reject_unauth_pipelining text: Wait your turn, code: 550", "EHLO", "550 5.5.0 Wait your turn")]
    [InlineData("reject_unauth_pipelining", null, null)]
    [InlineData("warn_if_reject_unauth_pipelining", "EHLO", null)]
    public async Task A_client_that_did_not_wait_is_refused(string rule, string? behind, string? reply)
    {
        var asked = new AskedSession();
        var session = AskedSession.Session();
        session.PipelinedBehind = behind;
        Assert.Equal(reply, await AskedSession.ReplyAsync(asked.Policy([rule, "permit"]), session));
        Assert.Equal(reply, await AskedSession.ReplyAsync(asked.Policy(["permit"], client: [rule]), session));
        if (reply is not null)
            Assert.Contains($"the client did not wait for the reply to {behind}", asked.Last.Chain.Select(static step => step.Saw));
    }

    /// <summary>Content ahead of 354 is known when the rules for the sender and the recipients have been asked.</summary>
    [Fact]
    public async Task What_was_sent_ahead_after_MAIL_counts_from_then_on()
    {
        var policy = new AskedSession().Policy(["reject_unauth_pipelining", "permit"]);
        var session = AskedSession.Session();
        Assert.Null(await AskedSession.ReplyAsync(policy, session));
        session.PipelinedBehind = "NOOP";
        Assert.StartsWith("503", await AskedSession.ReplyAsync(policy, session), StringComparison.Ordinal);
    }
}
