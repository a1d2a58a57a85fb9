using Postern.Configuration;
using Postern.Relay.Policy.Limits;

namespace Postern.Tests.Configuration;

/// <summary><c>limits</c>: what logins, clients and domains may use in a time.</summary>
public sealed class UsageSectionTests
{
    [Fact]
    public void Every_scope_and_thing_with_several_times_and_names_of_its_own_reaches_the_policy()
    {
        var table = Assert.IsType<ConfigurationOutcome.Valid>(Parse("""
            limits:
              connections: 100
              logins:
                messages: 500/1h
                recipients: [ 1000/1h, 2000/1d ]
                bytes: 2GB/1d
                distinct_recipients: 300/1d
                failed_recipients: 50/1d
                connections: 100/10m
                concurrency: 20
                warn_at: 90%
                answer: reject
                own: { "Newsletter@Example.org": { messages: 5000/1h } }
              networks: { recipients: 9/90s, ipv4: 28, ipv6: 48 }
              domains: { recipients: 100/1m }
              if_lost: defer
            """)).Configuration.ToPolicy().Limits;

        Assert.Equal([LimitScope.Logins, LimitScope.Networks, LimitScope.Domains], table.Scopes.Select(static s => s.Scope));
        Assert.Equal((28, 48, true), (table.PrefixV4, table.PrefixV6, table.DefersIfLost));
        var logins = table.Scopes[0];
        Assert.Equal((90, true), (logins.WarnAt, logins.Rejects));
        Assert.Equal(
            ["messages 500/1h", "recipients 1000/1h", "recipients 2000/1d", "bytes 2GB/1d", "distinct_recipients 300/1d", "failed_recipients 50/1d", "connections 100/10m", "concurrency 20"],
            logins.For("lisa@example.org").Select(static l => $"{l.What.Word()} {l.Limit.ToString(l.What)}"));
        var own = logins.For("newsletter@example.org");
        Assert.Equal("5000/1h", Assert.Single(own, static l => l.What == LimitThing.Messages).Limit.ToString());
        Assert.Equal(8, own.Length);
    }

    [Theory]
    [InlineData("logins: { messages: 500 }", "limits.logins.messages: '500' is not right here")]
    [InlineData("logins: { messages: 0/1h }", "'0/1h' is not right here")]
    [InlineData("logins: { messages: 5/60d }", "at most 31 days")]
    [InlineData("logins: { bytes: 5XB/1d }", "expected a size and a time such as 2GB/1d")]
    [InlineData("logins: { distinct_recipients: 10001/1d }", "at most 10000")]
    [InlineData("logins: { mesages: 5/1h }", "did you mean 'messages'")]
    [InlineData("logins: { recipients: [5/1h, 6/60m] }", "two limits within 1h")]
    [InlineData("domains: { concurrency: 5 }", "unknown key")]
    [InlineData("networks: { ipv4: 33 }", "a whole number from 1 to 32")]
    [InlineData("logins: { warn_at: 0.8 }", "a share from 1% to 100%")]
    [InlineData("networks: { own: { office: { messages: 5/1h } } }", "'office' is no client network")]
    [InlineData("if_lost: pray", "'anew' or 'defer'")]
    public void What_is_no_limit_is_named_with_what_was_expected(string line, string expected)
    {
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(Parse($"limits:\n  {line}\n")).Errors);
        Assert.Equal(2, error.Line);
        Assert.Contains(expected, error.ToString(), StringComparison.Ordinal);
    }

    private static ConfigurationOutcome Parse(string yaml) => ConfigurationFile.Parse("postern.yaml", "/etc/here", yaml);
}
