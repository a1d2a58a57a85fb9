using System.Net;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>An address that was made for forwarded mail is taken from anyone, and one that only looks so from nobody.</summary>
public sealed class RewrittenRecipientTests
{
    private static readonly Srs Scheme = new(Domain.Parse("fwd.test"), [new Secret("a secret of twelve")], days: 21);

    private readonly Judge judge = new(new PolicyOptions { Networks = [IPNetwork.Parse("10.1.0.0/16")], Srs = Scheme });

    [Theory]
    [InlineData("")]
    [InlineData("robot@far.example")]
    public async Task One_that_was_made_here_is_permitted_to_strangers(string sender)
    {
        var decision = await judge.DecideAsync(Judge.Facts(), sender, Made(days: 3));
        Assert.Equal("permit reject_unauth_destination", Judge.Outcome(decision));
        Assert.Contains("leads to that sender", decision.Chain[^1].Saw, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Judge.Stranger, null)]
    [InlineData(Judge.Trusted, null)]
    [InlineData(Judge.Stranger, "alice")]
    public async Task One_that_was_not_is_refused_to_everybody(string client, string? login)
    {
        var decision = await judge.DecideAsync(Judge.Facts(client, login), login is null ? string.Empty : "alice@example.org", "SRS0=AAAA=BB=example.com=lisa@fwd.test");
        Assert.Equal("550 srs", Judge.Outcome(decision));
        Assert.Equal(
            "550 5.1.1 <SRS0=AAAA=BB=example.com=lisa@fwd.test>: Recipient address rejected: the address looks rewritten, and was not made here (ref DRYRUN)",
            decision.Reply!.ToString());
    }

    [Fact]
    public async Task One_that_is_too_old_is_refused()
    {
        var decision = await judge.DecideAsync(Judge.Facts(), string.Empty, Made(days: 22));
        Assert.Contains("more than 21 days ago", decision.Reply!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_address_of_the_domain_is_not_accepted_for_it() =>
        Assert.Equal("550 reject_unauth_destination", await judge.OutcomeAsync(Judge.Facts(), string.Empty, "lisa@fwd.test"));

    private static string Made(int days) =>
        Scheme.Rewrite(Mailbox.Parse("lisa@example.com"), TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(days))!.Address;
}
