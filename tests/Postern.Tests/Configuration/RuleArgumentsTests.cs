using Postern.Configuration;
using Postern.Relay.Policy;

namespace Postern.Tests.Configuration;

/// <summary>Rules with arguments, in every form in which a list may have them.</summary>
public sealed class RuleArgumentsTests
{
    [Fact]
    public void An_entry_is_a_word_a_word_and_its_argument_or_a_mapping()
    {
        var rules = Assert.IsType<ConfigurationOutcome.Valid>(Parse("""
            rules:
              client: reject_clients 192.0.2.0/24 2001:db8::/32
              helo: [reject_non_fqdn_helo_hostname]
              sender:
                - reject_unlisted_domain: { on_error: pass }
                - reject_clients: 198.51.100.0/24
                - reject_sender_login_mismatch
              recipient:
                - reject_over_limit: { per: login, recipients: 2000/1d }
                - permit_authenticated
              message:
                - { reject_over_limit: { messages: 500/1h, per: login } }
              patience: 3s
            """)).Configuration;
        var options = rules.ToPolicy();

        Assert.Equal([new("reject_clients", "networks: 192.0.2.0/24 2001:db8::/32")], options.ClientRules.AsEnumerable());
        Assert.Equal([new("reject_unlisted_domain", "on_error: pass"), new("reject_clients", "networks: 198.51.100.0/24"), new("reject_sender_login_mismatch")], options.SenderRules.AsEnumerable());
        Assert.Equal([new("reject_over_limit", "per: login, recipients: 2000/1d"), new("permit_authenticated")], options.RecipientRules.AsEnumerable());
        Assert.Equal([new("reject_over_limit", "per: login, messages: 500/1h")], options.MessageRules.AsEnumerable());
        Assert.Equal(TimeSpan.FromSeconds(3), options.Patience);
        var setting = Assert.Single(rules.Settings, static s => s.Path.StartsWith("rules.message", StringComparison.Ordinal));
        Assert.Equal(("[reject_over_limit per: login, messages: 500/1h]", "[{ reject_over_limit: { messages: 500/1h, per: login } }]"), (setting.Meaning, setting.Shown));
        Assert.NotNull(new RelayPolicy(options, null!, null!, TimeProvider.System));
    }

    [Theory]
    [InlineData("sender: [reject_over_limt: { messages: 5/1h }]", "1:19: rules.sender[0]: 'reject_over_limt' is not right here")]
    [InlineData("sender: [reject_over_limt: { messages: 5/1h }]", "did you mean 'reject_over_limit'?")]
    [InlineData("sender: [{ reject_over_limit: { mesages: 5/1h } }]", "1:42: rules.sender[0].mesages: unknown key; did you mean 'messages'?")]
    [InlineData("sender: [{ reject_over_limit: { messages: 5 } }]", "1:52: rules.sender[0].messages: '5' is not right here; expected a count and a time")]
    [InlineData("sender: [reject_over_limit]", "1:19: rules.sender[0].messages: missing key")]
    [InlineData("recipient: [reject_over_limit: { messages: 5/1h }]", "rules.recipient[0].recipients: missing key")]
    [InlineData("sender: [reject_over_limit 5]", "1:37: rules.sender[0]: the rule reject_over_limit takes no single argument")]
    [InlineData("client: [reject_clients 192.0.2.0/33]", "1:34: rules.client[0].networks: '192.0.2.0/33' is not right here")]
    [InlineData("client: [reject_unauth_destination]", "the rule reject_unauth_destination cannot stand at the client stage")]
    [InlineData("sender: [[a]]", "1:19: rules.sender[0]: ")]
    [InlineData("sender: [{ reject_unlisted_domain: { on_error: maybe } }]", "1:57: rules.sender[0].on_error: 'maybe' is not right here; expected 'defer' or 'pass' or 'refuse'")]
    [InlineData("sender: [{ reject_clients: 192.0.2.1 }, reject_clients 192.0.2.1]", "stands here twice")]
    public void What_is_wrong_is_told_with_its_place(string rules, string expected)
    {
        var errors = Assert.IsType<ConfigurationOutcome.Invalid>(Parse($"rules: {{ {rules} }}\n")).Errors.Select(static e => e.ToString());
        Assert.Contains(errors, error => error.Contains(expected, StringComparison.Ordinal));
    }

    private static ConfigurationOutcome Parse(string yaml) => ConfigurationFile.Parse("postern.yaml", "/etc/here", yaml);
}
