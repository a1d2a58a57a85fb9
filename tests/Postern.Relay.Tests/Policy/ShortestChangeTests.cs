using System.Net;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>What an operator would have to change, as few things as possible and tried on the rules themselves.</summary>
public sealed class ShortestChangeTests
{
    [Theory]
    //          login    client          auth   sender                  recipient                what would do
    [InlineData("alice", Judge.Stranger, false, "bob@example.org", "lisa@far.example", "postern account grant alice --address bob@example.org")]
    [InlineData("alice", Judge.Stranger, false, "x@foreign.example", "lisa@far.example", "postern account grant alice --address x@foreign.example")]
    [InlineData("carol", Judge.Stranger, false, "carol@example.org", "lisa@far.example", "postern account enable carol")]
    [InlineData("carol", Judge.Stranger, false, "bob@example.org", "lisa@far.example", "postern account enable carol|postern account grant carol --address bob@example.org")]
    [InlineData("gone@example.org", Judge.Stranger, false, "gone@example.org", "lisa@far.example", "postern account add gone@example.org")]
    [InlineData(null, Judge.Stranger, true, "bob@example.org", "lisa@far.example", "log in as an account that may send as bob@example.org")]
    [InlineData(null, Judge.Stranger, false, "bob@example.org", "lisa@far.example", "postern network add 203.0.113.9/32 --domain example.org")]
    [InlineData(null, Judge.Stranger, false, "x@foreign.example", "lisa@far.example", "postern domain add far.example --accept")]
    [InlineData(null, Judge.Stranger, false, "", "lisa@far.example", "postern domain add far.example --accept")]
    [InlineData(null, Judge.Stranger, false, "x@foreign.example", "a%b@example.org", "add 203.0.113.9/32 to networks in postern.yaml: it may then relay as anyone")]
    [InlineData("alice", Judge.Stranger, false, "alice@example.org", "lisa@far.example", "")]
    [InlineData(null, Judge.Trusted, false, "x@foreign.example", "lisa@far.example", "")]
    public async Task The_fewest_changes_are_named_and_the_one_that_gives_least_away(string? login, string client, bool auth, string sender, string recipient, string changes)
    {
        var judge = new Judge();
        var found = await judge.Policy.ShortestChangeAsync(Judge.Facts(client, login, auth), Judge.Path(sender), Mailbox.Parse(recipient), TestContext.Current.CancellationToken);
        Assert.Equal(changes, string.Join('|', found));
    }

    /// <summary>No right that is given would help: the list has no rule that asks for it.</summary>
    [Theory]
    [InlineData("alice", "write permit_authenticated at the end of rules.recipient")]
    [InlineData(null, "write permit_networks at the end of rules.recipient, and add 203.0.113.9/32 to networks: it may then relay as anyone")]
    public async Task A_list_that_permits_nobody_is_said_to_need_a_rule(string? login, string change)
    {
        var judge = new Judge(new PolicyOptions { SenderRules = [], RecipientRules = [] });
        Assert.Equal([change], await judge.Policy.ShortestChangeAsync(Judge.Facts(login: login), Judge.Path("alice@example.org"), Mailbox.Parse("lisa@far.example"), TestContext.Current.CancellationToken));
    }

    /// <summary>A refusal at MAIL has no recipient, and is mended without one.</summary>
    [Fact]
    public async Task What_was_refused_before_a_recipient_was_named_is_asked_without_one()
    {
        var question = new PolicyQuestion(Judge.Facts(login: "alice"), Judge.Path("bob@example.org"));
        Assert.Equal("553 reject_sender_login_mismatch", Judge.Outcome(await new Judge().Policy.DryRunAsync(question, TestContext.Current.CancellationToken)));
        Assert.Equal(["postern account grant alice --address bob@example.org"], await new Judge().Policy.ShortestChangeAsync(question, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Two_rules_need_two_changes()
    {
        var judge = new Judge(new PolicyOptions { Networks = [IPNetwork.Parse("10.1.0.0/16")], SenderRules = ["reject_unlisted_network_sender"], RecipientRules = ["permit_network_for_domain"] });
        var found = await judge.Policy.ShortestChangeAsync(Judge.Facts(Judge.Trusted), Judge.Path("x@foreign.example"), Mailbox.Parse("lisa@far.example"), TestContext.Current.CancellationToken);
        Assert.Equal(["postern domain add foreign.example", $"postern network add {Judge.Trusted}/32 --domain foreign.example"], found);
    }
}
