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
    [InlineData("sender: [rewrite_sender büro@example.org]", "1:34: rules.sender[0].address: 'büro@example.org' is not right here; expected an address such as archive@example.org, in US-ASCII")]
    [InlineData("recipient: [reject_other_recipients example.org]", "1:46: rules.recipient[0].allowed: 'example.org' is not right here; expected addresses, or @ and a domain")]
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

    [Fact]
    public void Lists_have_names_and_rules_are_on_trial()
    {
        var options = Assert.IsType<ConfigurationOutcome.Valid>(Parse("""
            rules:
              classes:
                inner: [{ reject_over_limit: { recipients: 5/1h } }]
                partners:
                  - permit_networks
                  - warn_if_inner
                  - reject: { text: "only partners here, sorry: no", code: 550 }
                unused: [reject_header_from_mismatch]
              sender: [warn_if_reject_plaintext_session]
              recipient:
                - prepend_header: "X-Origin: a, b"
                - warn_if_partners
                - partners
            """)).Configuration.ToPolicy();
        Assert.Equal(["inner", "partners", "unused"], options.Classes.Keys);
        Assert.Equal([new("permit_networks"), new("warn_if_inner"), new("reject", "text: \"only partners here, sorry: no\", code: 550")], options.Classes["partners"].AsEnumerable());
        Assert.Equal([new("prepend_header", "field: \"X-Origin: a, b\""), new("warn_if_partners"), new("partners")], options.RecipientRules.AsEnumerable());
        Assert.NotNull(new RelayPolicy(options, null!, null!, TimeProvider.System));
    }

    [Theory]
    [InlineData("classes: { permit: [reject] }, recipient: [permit]", "rules.classes.permit: permit is the word of a rule")]
    [InlineData("classes: { a b: [reject] }", "a name has lower-case letters, digits and _")]
    [InlineData("classes: { a: [b], b: [a] }, recipient: [a]", "rules.recipient[0]: the list a asks itself: a -> b -> a")]
    [InlineData("classes: { a: [reject_header_from_mismatch] }, sender: [a]", "rules.classes.a[0]: the rule reject_header_from_mismatch cannot stand at the sender stage")]
    [InlineData("classes: { a: [xyz] }", "rules.classes.a[0]: ")]
    [InlineData("sender: [warn_if_reject_plaintext_sesion]", "no rule is called reject_plaintext_sesion; reject_plaintext_session is the nearest")]
    [InlineData("sender: [warn_if_warn_if_reject]", "rules.sender[0]: ")]
    [InlineData("sender: [{ reject: { code: 250 } }]", "rules.sender[0].code: '250' is not right here; expected a reply code from 400 to 599")]
    [InlineData("sender: [{ prepend_header: no colon }]", "expected a header field such as X-Origin: scanner")]
    [InlineData("sender: [{ bcc: nobody }]", "expected an address such as archive@example.org")]
    [InlineData("sender: [{ permit_tls_client_certificate: abc }]", "expected SHA-256 fingerprints")]
    public void What_is_wrong_with_a_name_or_a_trial_is_told(string rules, string expected) => What_is_wrong_is_told_with_its_place(rules, expected);

    private static ConfigurationOutcome Parse(string yaml) => ConfigurationFile.Parse("postern.yaml", "/etc/here", yaml);
}
