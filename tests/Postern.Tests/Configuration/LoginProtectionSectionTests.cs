using System.Net;
using Postern.Configuration;
using Postern.Relay.Accounts;

namespace Postern.Tests.Configuration;

public sealed class LoginProtectionSectionTests
{
    [Fact]
    public void Row_248_budgets_exempt_clients_and_failures_of_a_session_reach_the_server()
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(Parse("""
            login_protection:
              failures_per_session: 3
              exempt: [192.0.2.0/24, "2001:db8::/48"]
              budgets: { account_and_network: 5/30m, account: 100/1d, address: 7/1h }
            """)).Configuration;
        var options = configuration.ToAccounts().Protection;
        Assert.True(options.IsEnabled);
        Assert.Equal([IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("2001:db8::/48")], options.Exempt);
        Assert.Equal(new RateLimit(5, TimeSpan.FromMinutes(30)), options.AccountAndNetwork);
        Assert.Equal(new RateLimit(100, TimeSpan.FromDays(1)), options.Account);
        Assert.Equal(new RateLimit(7, TimeSpan.FromHours(1)), options.Address);
        Assert.Equal(new RateLimit(120, TimeSpan.FromHours(1)), options.Network);
        Assert.Equal(3, configuration.LoginProtection.FailuresPerSession);
        Assert.False(Assert.IsType<ConfigurationOutcome.Valid>(Parse("login_protection: { enabled: false }")).Configuration.ToAccounts().Protection.IsEnabled);
    }

    [Theory]
    [InlineData("budgets: { address: 40 }")]
    [InlineData("budgets: { address: 0/1h }")]
    [InlineData("budgets: { address: 40/0h }")]
    [InlineData("budgets: { address: 40/60d }")]
    [InlineData("budgets: { address: 40/1w }")]
    [InlineData("enabled: maybe")]
    [InlineData("exempt: [office]")]
    public void What_is_no_budget_is_named_with_its_place(string line)
    {
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(Parse($"login_protection:\n  {line}\n")).Errors);
        Assert.Equal(2, error.Line);
        Assert.StartsWith("login_protection.", error.Key, StringComparison.Ordinal);
    }

    private static ConfigurationOutcome Parse(string yaml) => ConfigurationFile.Parse("postern.yaml", "/etc/here", yaml);
}
