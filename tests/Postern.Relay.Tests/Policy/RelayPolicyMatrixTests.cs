namespace Postern.Relay.Tests.Policy;

/// <summary>Login by client by sender by recipient, with the default lists and AUTH not on offer.</summary>
public sealed class RelayPolicyMatrixTests
{
    private const string Mismatch = "reject_sender_login_mismatch";
    private const string Unlisted = "reject_unlisted_domain";
    private const string Destination = "reject_unauth_destination";

    [Theory]
    //          login     client          sender                  to an accepted domain         to a foreign domain
    [InlineData(null, Judge.Stranger, "alice@example.org", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData(null, Judge.Stranger, "nobody@example.org", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData(null, Judge.Stranger, "y@other.example", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData(null, Judge.Stranger, "x@foreign.example", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, Judge.Stranger, "dave@unlisted.example", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, Judge.Stranger, "", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, "127.0.0.1", "alice@example.org", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData(null, "127.0.0.1", "", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, "::1", "x@foreign.example", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, "192.168.1.1", "x@foreign.example", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, "172.17.0.1", "x@foreign.example", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, Judge.Trusted, "alice@example.org", "permit permit_networks", "permit permit_networks")]
    [InlineData(null, Judge.Trusted, "y@other.example", "permit permit_networks", "permit permit_networks")]
    [InlineData(null, Judge.Trusted, "x@foreign.example", "permit permit_networks", "permit permit_networks")]
    [InlineData(null, Judge.Trusted, "", "permit permit_networks", "permit permit_networks")]
    [InlineData(null, Judge.Allowed, "alice@example.org", "permit permit_network_for_domain", "permit permit_network_for_domain")]
    [InlineData(null, Judge.Allowed, "y@other.example", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData(null, Judge.Allowed, "x@foreign.example", "permit " + Destination, "550 " + Destination)]
    [InlineData(null, Judge.Allowed, "", "permit " + Destination, "550 " + Destination)]
    [InlineData("alice", Judge.Stranger, "alice@example.org", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("alice", Judge.Stranger, "ALICE@Example.ORG", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("alice", Judge.Stranger, "\"alice\"@example.org", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("alice", Judge.Stranger, "\"ALI\\ce\"@example.org", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("alice", Judge.Stranger, "\"bob\"@example.org", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("alice", Judge.Stranger, "bob@example.org", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("alice", Judge.Stranger, "alice@sub.example.org", "550 " + Unlisted, "550 " + Unlisted)]
    [InlineData("alice", Judge.Stranger, "y@other.example", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("alice", Judge.Stranger, "x@foreign.example", "550 " + Unlisted, "550 " + Unlisted)]
    [InlineData("alice", Judge.Stranger, "", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("nothing", Judge.Stranger, "", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("nothing", Judge.Stranger, "alice@example.org", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("alice", Judge.Trusted, "alice@example.org", "permit permit_networks", "permit permit_networks")]
    [InlineData("alice", Judge.Trusted, "bob@example.org", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("alice", Judge.Trusted, "", "permit permit_networks", "permit permit_networks")]
    [InlineData("alice", Judge.Trusted, "x@foreign.example", "550 " + Unlisted, "550 " + Unlisted)]
    [InlineData("alice", Judge.Allowed, "", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("alice", Judge.Allowed, "alice@example.org", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("alice", Judge.Allowed, "bob@example.org", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("mailer", Judge.Stranger, "bob@example.org", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("mailer", Judge.Stranger, "bob@sub.example.org", "550 " + Unlisted, "550 " + Unlisted)]
    [InlineData("mailer", Judge.Stranger, "", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("mailer", Judge.Stranger, "y@other.example", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("dave", Judge.Stranger, "dave@unlisted.example", "permit permit_authenticated", "permit permit_authenticated")]
    [InlineData("dave", Judge.Stranger, "eve@unlisted.example", "553 " + Mismatch, "553 " + Mismatch)]
    [InlineData("dave", Judge.Stranger, "dave@listed.unlisted.example", "550 " + Unlisted, "550 " + Unlisted)]
    [InlineData("dave", Judge.Stranger, "x@ed.example", "550 " + Unlisted, "550 " + Unlisted)]
    [InlineData("carol", Judge.Stranger, "carol@example.org", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData("carol", Judge.Trusted, "carol@example.org", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData("carol", Judge.Allowed, "carol@example.org", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData("carol", Judge.Stranger, "x@foreign.example", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData("carol", Judge.Stranger, "", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData("gone", Judge.Stranger, "", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData("gone", Judge.Stranger, "alice@example.org", "550 " + Mismatch, "550 " + Mismatch)]
    [InlineData("gone", Judge.Trusted, "x@foreign.example", "550 " + Mismatch, "550 " + Mismatch)]
    public async Task The_default_lists_decide_as_the_manual_says(string? login, string client, string sender, string toAccepted, string toForeign)
    {
        var judge = new Judge();
        var facts = Judge.Facts(client, login);

        Assert.Equal(toAccepted, await judge.OutcomeAsync(facts, sender, "someone@example.org"));
        Assert.Equal(toForeign, await judge.OutcomeAsync(facts, sender, "someone@far.example"));
    }

    [Theory]
    [InlineData("alice", "permit permit_authenticated")]
    [InlineData("nothing", "permit permit_authenticated")]
    [InlineData("mailer", "permit permit_authenticated")]
    [InlineData("carol", "550 " + Mismatch)]
    [InlineData("gone", "550 " + Mismatch)]
    [InlineData(null, "550 " + Destination)]
    public async Task A_login_sends_read_receipts_whatever_its_grants_and_a_stranger_relays_none(string? login, string toForeign) =>
        Assert.Equal(toForeign, await new Judge().OutcomeAsync(Judge.Facts(login: login), string.Empty, "someone@far.example"));

    [Theory]
    [InlineData(Judge.Trusted, null, "x@foreign.example", "550 reject_unlisted_network_sender")]
    [InlineData(Judge.Trusted, null, "alice@example.org", "permit permit_networks")]
    [InlineData(Judge.Trusted, null, "", "permit permit_networks")]
    [InlineData(Judge.Trusted, "alice", "alice@example.org", "permit permit_networks")]
    [InlineData(Judge.Stranger, null, "x@foreign.example", "550 " + Destination)]
    public async Task Networks_send_as_anyone_unless_the_operator_asks_for_listed_domains(string client, string? login, string sender, string strict)
    {
        var strictly = new Judge(new Relay.Policy.PolicyOptions { Networks = [System.Net.IPNetwork.Parse("10.1.0.0/16")], SenderRules = ["reject_unlisted_network_sender", Mismatch] });
        Assert.Equal(strict, await strictly.OutcomeAsync(Judge.Facts(client, login), sender, "someone@far.example"));
        if (client == Judge.Trusted)
            Assert.StartsWith("permit", await new Judge().OutcomeAsync(Judge.Facts(client, login), sender, "someone@far.example"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "alice@example.org")]
    [InlineData(null, "")]
    [InlineData("nobody", "alice@example.org")]
    public async Task Nothing_is_permitted_on_an_empty_configuration(string? login, string sender)
    {
        var policy = new Relay.Policy.RelayPolicy(new(), new FakeDirectory(), new RecordingAuditLog(), TimeProvider.System);
        foreach (var client in new[] { "127.0.0.1", "::1", "10.0.0.1", "192.168.0.1", "172.17.0.1", "fd00::1", "fe80::1%2", "0.0.0.0" })
        {
            var decision = await policy.DryRunAsync(
                Judge.Facts(client, login), Judge.Path(sender), Smtp.Grammar.Mailbox.Parse("someone@example.org"), TestContext.Current.CancellationToken);
            Assert.False(decision.IsPermit, client);
        }
    }
}
