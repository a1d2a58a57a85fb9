using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Accounts;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Delivery.Aliases;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>Where <c>reject_unlisted_recipient</c> stands, a recipient in a domain of ours is one that something knows.</summary>
public sealed class UnlistedRecipientTests : IDisposable
{
    private const string Rule = "reject_unlisted_recipient";

    private readonly AliasRig files = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => files.Dispose();

    [Theory]
    [InlineData("alice@example.org", "permit", "alice@example.org is of account alice")]
    [InlineData("ALICE@Example.ORG", "permit", "is of account alice")]
    [InlineData("alice+news@example.org", "permit", "alice@example.org is of account alice")]
    [InlineData("carol@example.org", "permit", "is of account carol")]
    [InlineData("named@example.org", "permit", "is of account named@example.org")]
    [InlineData("postmaster@example.org", "permit", "every domain takes mail for its postmaster")]
    [InlineData("staff@example.org", "permit", "staff@example.org stands in ")]
    [InlineData("staff+x@example.org", "permit", "staff+x@example.org stands in ")]
    [InlineData("anything@caught.example", "permit", "anything@caught.example stands in ")]
    [InlineData("anything@routed.example", "permit", "is for the route to routed.example")]
    [InlineData("anything@a.below.example", "permit", "is for the route to .below.example")]
    [InlineData("nobody@example.org", "550", "no account has nobody@example.org, and no alias, forward, list or route names it")]
    [InlineData("al@example.org", "550", "no account has al@example.org")]
    [InlineData("\"alice +x\"@example.org", "550", "no account has")]
    [InlineData("nobody@local.example", "550", "no account has nobody@local.example")]
    public async Task In_a_domain_of_ours(string to, string outcome, string saw)
    {
        var decision = await Judge().DecideAsync(Policy.Judge.Facts(), "x@far.example", to);
        var step = decision.Chain.Single(static s => s.Rule == Rule);
        Assert.Contains(saw, step.Saw, StringComparison.Ordinal);
        if (outcome == "permit")
            Assert.Equal("pass", step.Said);
        else
            Assert.Equal($"550 5.1.1 <{Mailbox.Parse(to).Address}>: Recipient address rejected: there is no such mailbox here (ref DRYRUN)", decision.Reply!.ToString());
    }

    [Fact]
    public async Task Of_domains_of_others_it_says_nothing_and_a_login_is_told_too()
    {
        Assert.Equal("550 reject_unauth_destination", await Judge().OutcomeAsync(Policy.Judge.Facts(), "x@far.example", "nobody@far.example"));
        Assert.Equal("permit permit_authenticated", await Judge().OutcomeAsync(Policy.Judge.Facts(login: "alice"), "alice@example.org", "nobody@far.example"));
        Assert.Equal("550 " + Rule, await Judge().OutcomeAsync(Policy.Judge.Facts(login: "alice"), "alice@example.org", "nobody@example.org"));
    }

    [Fact]
    public async Task A_directory_that_cannot_say_is_answered_later()
    {
        var judge = Judge();
        judge.Directory.IsUnavailable = true;
        Assert.StartsWith("451 ", await judge.OutcomeAsync(Policy.Judge.Facts(), "x@far.example", "nobody@example.org"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_names_what_would_do() =>
        Assert.Equal(
            ["postern account add nobody@example.org, or a line for it in a file of delivery.forwards"],
            await Judge().Policy.ShortestChangeAsync(Policy.Judge.Facts(), Policy.Judge.Path("x@far.example"), Mailbox.Parse("nobody@example.org"), Ct));

    [Fact]
    public async Task The_directory_knows_whose_an_address_is_as_it_is_now()
    {
        using var fixture = new DirectoryFixture();
        Relay.Accounts.IDirectory directory = fixture.Database;
        Assert.Null(await directory.FindOwnerAsync(Mailbox.Parse("Lisa@example.org"), Ct));
        fixture.Commands.Accounts.Add(new Relay.Admin.AddAccount("scott", ["lisa@example.org"], []));
        Assert.Equal("scott", await directory.FindOwnerAsync(Mailbox.Parse("Lisa@example.org"), Ct));
        fixture.Commands.Accounts.Remove("scott");
        Assert.Null(await directory.FindOwnerAsync(Mailbox.Parse("lisa@example.org"), Ct));
    }

    private Judge Judge()
    {
        var aliases = AliasRig.Read(
            files.Forwards("@caught.example all@far.example\nstaff@example.org a@far.example, b@far.example"),
            new Relay.Delivery.Aliases.AliasSource(files.Write("aliases", "root: lisa@far.example"), Relay.Delivery.Aliases.AliasForm.Aliases, [Domain.Parse("local.example")]));
        var routes = DeliveryRig.Options(new Route("*", "smtp://a.test"), new Route("routed.example", "smtp://b.test"), new Route(".below.example", "smtp://c.test")).Routes;
        var judge = new Judge(new PolicyOptions
        {
            RecipientRules = [Rule, "permit_authenticated", "reject_unauth_destination"],
            Networks = [IPNetwork.Parse("10.1.0.0/16")],
            Recipients = new ListedRecipients(aliases, routes),
        });
        judge.Directory.Add("named@example.org").List("caught.example", accept: true).List("routed.example", accept: true).List("a.below.example", accept: true);
        return judge;
    }
}
