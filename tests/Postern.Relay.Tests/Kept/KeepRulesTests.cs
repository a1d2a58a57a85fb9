using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Kept;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Kept;

/// <summary>Whose content is kept: the narrowest word counts.</summary>
public sealed class KeepRulesTests
{
    private static readonly KeepRules Rules = new(
    [
        new KeepRule(TimeSpan.FromDays(30)) { Tenant = "acme" },
        new KeepRule(TimeSpan.FromDays(3)) { Domain = Domain.Parse("example.org") },
        new KeepRule(TimeSpan.FromDays(4)) { Domain = Domain.Parse("example.com") },
        new KeepRule(TimeSpan.FromDays(1)) { Login = "Billing@example.org" },
        new KeepRule(TimeSpan.Zero) { Login = "boss@example.org" },
    ]);

    [Theory]
    [InlineData("billing@example.org", "acme", "billing@example.org", 1)]
    [InlineData("boss@example.org", "acme", "boss@example.org", 0)]
    [InlineData("lisa@example.org", "ACME", "lisa@example.org", 3)]
    [InlineData("lisa@example.net", "acme", "lisa@example.net", 30)]
    [InlineData("lisa@example.net", "other", "lisa@example.net", 0)]
    [InlineData(null, null, "lisa@example.org", 3)]
    [InlineData(null, null, "", 0)]
    public void A_login_counts_before_a_domain_and_that_before_a_tenant(string? login, string? tenant, string sender, int days) =>
        Assert.Equal(Days(days), Rules.For(Envelope(login, tenant, sender, ["r@example.net"]), ofAccount: null));

    [Theory]
    [InlineData(7, 7)]
    [InlineData(0, 0)]
    [InlineData(null, 3)]
    public void What_is_said_of_an_account_counts_before_all_else(int? account, int days) =>
        Assert.Equal(Days(days), Rules.For(Envelope("lisa@example.org", "acme", "lisa@example.org", ["r@example.net"]), account is { } d ? TimeSpan.FromDays(d) : null));

    [Fact]
    public void Mail_that_only_arrives_here_is_of_the_domains_of_its_recipients_for_the_longest_time_whoever_it_says_it_is_from()
    {
        var inbound = Envelope(login: null, tenant: null, "lisa@example.org", ["a@example.net", "b@example.com"]) with { IsInbound = true };

        Assert.Equal(Days(4), Rules.For(inbound, ofAccount: null));
        Assert.Equal(Days(4), Rules.For(inbound with { Said = inbound.Said with { Recipients = [Mailbox.Parse("a@example.org"), Mailbox.Parse("b@example.com")] } }, ofAccount: null));
        Assert.Null(Rules.For(inbound with { Said = inbound.Said with { Recipients = [Mailbox.Parse("a@example.net")] } }, ofAccount: null));
    }

    private static TimeSpan? Days(int days) => days == 0 ? null : TimeSpan.FromDays(days);

    private static Envelope Envelope(string? login, string? tenant, string sender, string[] recipients) => Samples.Envelope() with
    {
        Login = login,
        Tenant = tenant,
        Said = new SmtpEnvelope(new ReversePath(sender.Length == 0 ? null : Mailbox.Parse(sender)), [.. recipients.Select(Mailbox.Parse)]),
    };
}
