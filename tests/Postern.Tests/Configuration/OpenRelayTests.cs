using Postern.Configuration;

namespace Postern.Tests.Configuration;

/// <summary>No server starts with rules that let anybody send anywhere, whatever they are called, where anybody can reach it.</summary>
public sealed class OpenRelayTests
{
    private const string Public = "{ name: mx, listen: '0.0.0.0:25', tls: none, auth: off }";
    private const string OnLoopback = "{ name: mx, listen: '127.0.0.1:2525', tls: none, auth: off }";
    private const string Known = "{ name: mx, listen: '0.0.0.0:25', tls: none, auth: off, clients: [10.0.0.0/8] }";

    [Theory]
    [InlineData("rules: { recipient: [permit] }", "rules.recipient[0]: permit permits whoever comes to it")]
    [InlineData("rules: { recipient: [permit_networks, permit] }", "rules.recipient[1]: permit permits")]
    [InlineData("rules: { classes: { all: [permit] }, recipient: [permit_networks, all, reject] }", "rules.recipient[1]: permit permits")]
    [InlineData("rules: { recipient: [reject_unknown_sender_domain, reject_unknown_client_hostname, permit] }", "rules.recipient[2]: permit permits")]
    [InlineData("rules: { recipient: [reject_clients 192.0.2.0/24, warn_if_reject, permit] }", "rules.recipient[2]: permit permits")]
    [InlineData("rules: { recipient: [{ check_access: { by: client, table: TABLE } }, reject] }", "rules.recipient[0]: check_access permits")]
    [InlineData("networks: [0.0.0.0/1, 128.0.0.0/1, '::/1', '8000::/1']", "networks: they hold every client there is")]
    [InlineData("networks: [0.0.0.0/1, 128.0.0.0/1]", "networks: they hold every client there is")]
    [InlineData("network_files: TABLE", "network_files[0]: they hold every client there is: anybody could send anything through the listener mx")]
    [InlineData("networks: [0.0.0.0/1]\nnetwork_files: TABLE", "network_files[0]: they hold every client there is")]
    [InlineData("network_files: TABLE\nrules: { recipient: [permit] }", "network_files[0]: they hold every client there is")]
    public async Task It_is_an_error_with_its_line(string yaml, string expected)
    {
        var errors = Assert.IsType<ConfigurationOutcome.Invalid>(await ParseAsync(Public, yaml)).Errors;
        Assert.Contains(expected, Assert.Single(errors).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rules: { recipient: [permit] }", OnLoopback)]
    [InlineData("rules: { recipient: [permit] }", Known)]
    [InlineData("rules: { recipient: [reject_unauth_destination, permit] }", Public)]
    [InlineData("rules: { recipient: [permit_networks, permit_authenticated, reject_unauth_destination] }", Public)]
    [InlineData("rules: { recipient: [warn_if_permit] }", Public)]
    [InlineData("networks: [8.0.0.0/5, 128.0.0.0/1]", Public)]
    [InlineData("networks: ['::/1', '8000::/1']", Public)]
    [InlineData("network_files: TABLE\nrules: { recipient: [permit_authenticated, reject_unauth_destination] }", Public)]
    [InlineData("rules: { client: [reject], recipient: [permit] }", Public)]
    public async Task What_refuses_strangers_or_is_reached_by_none_is_no_open_relay(string yaml, string listener) =>
        Assert.IsType<ConfigurationOutcome.Valid>(await ParseAsync(listener, yaml));

    [Theory]
    [InlineData("rules: { recipient: [check_policy_service inet:127.0.0.1:10023, reject_unauth_destination] }", "rules.recipient[0]")]
    [InlineData("rules: { recipient: [permit_networks, check_http_policy https://policy.test/x, reject] }", "rules.recipient[1]")]
    [InlineData("rules: { classes: { asked: [check_policy_service unix:/policy] }, recipient: [permit_networks, asked] }", "rules.recipient[1]")]
    [InlineData("rules: { recipient: [{ check_policy_service: { at: 'inet:127.0.0.1:10023', ok: pass } }, reject_unauth_destination] }", null)]
    [InlineData("rules: { recipient: [reject_unauth_destination, check_policy_service inet:127.0.0.1:10023] }", null)]
    [InlineData("rules: { recipient: [warn_if_check_policy_service inet:127.0.0.1:10023, reject_unauth_destination] }", null)]
    [InlineData("rules: { sender: [check_policy_service inet:127.0.0.1:10023], recipient: [reject_unauth_destination] }", null)]
    public async Task What_a_service_says_ok_to_is_relayed_and_check_says_so(string yaml, string? key)
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(await ParseAsync(Public, yaml)).Configuration;
        var doubt = configuration.Doubts.Where(static d => d.Text.StartsWith("whoever the service of check_", StringComparison.Ordinal)).Select(static d => d.Key);
        Assert.Equal(key is null ? [] : [key], doubt);
        Assert.DoesNotContain(Assert.IsType<ConfigurationOutcome.Valid>(await ParseAsync(OnLoopback, yaml)).Configuration.Doubts, static d => d.Text.StartsWith("whoever the service of", StringComparison.Ordinal));
    }

    /// <summary>What the service would say is not known: it is as if it said nothing.</summary>
    [Fact]
    public async Task A_service_before_a_permit_is_no_proof_that_strangers_are_refused() =>
        await It_is_an_error_with_its_line("rules: { recipient: [check_policy_service inet:127.0.0.1:10023, permit] }", "rules.recipient[1]: permit permits");

    private static async Task<ConfigurationOutcome> ParseAsync(string listener, string yaml)
    {
        var table = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(table, "0.0.0.0/1 OK\n128.0.0.0/1 OK\n::/1 OK\n8000::/1 OK\n", TestContext.Current.CancellationToken);
            return ConfigurationFile.Parse("postern.yaml", "/etc/here", $"listeners: [{listener}]\n{yaml.Replace("TABLE", table, StringComparison.Ordinal)}\n");
        }
        finally
        {
            File.Delete(table);
        }
    }
}
