using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Configuration.Devices;
using Postern.Tests.Commands;

namespace Postern.Tests.Devices;

/// <summary>What a section <c>devices</c> may say, and what it comes to.</summary>
public sealed class DeviceConfigurationTests
{
    [Theory]
    [InlineData("{ name: s, listen: '0.0.0.0:25' }", "devices[0].clients: nothing says which clients are the devices, and they need no login: whoever comes could send; expected their networks, or 'login: required'")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', login: optional }", "devices[0].clients: nothing says which clients are the devices")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', clients: [] }", "devices[0].clients: nothing says which clients are the devices")]
    [InlineData("{ name: s, login: required }", "devices[0].clients: without a listener of their own all who come would be devices")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', login: required, auth: always }", "devices[0].auth: passwords in clear from everywhere; expected 'clients', or 'tls-only'")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', clients: [10.0.4.0/24], auth: always }", "devices[0].auth: where login is 'none' AUTH is never offered")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', clients: [10.0.4.0/24], login: optional, tls: none }", "devices[0].auth: 'tls-only' where tls is 'none' means that AUTH is never offered")]
    [InlineData("{ name: s, clients: [10.0.4.0/24], tls_minimum: '1.0' }", "devices[0].tls_minimum: it is said of a listener of their own, and there is none; expected 'listen' beside it, or the key left out")]
    [InlineData("{ name: s, clients: [10.0.4.0/24], listener: sumbission }", "devices[0].listener: there is no listener 'sumbission'; did you mean 'submission'?")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', clients: [10.0.4.0/24], listener: submission }", "devices[0].listener: they have a listener of their own: 'listen'; expected one of the two")]
    [InlineData("{ name: submission, listen: '0.0.0.0:25', clients: [10.0.4.0/24] }", "devices[0]: the name 'submission' is taken by listeners[0]")]
    [InlineData("{ name: s, clients: [10.0.4.0/24] }, { name: S, clients: [10.0.5.0/24] }", "devices[1]: the name 'S' stands here twice")]
    [InlineData("{ name: 's/t', clients: [10.0.4.0/24] }", "devices[0].name: 's/t' is not right here; expected letters, digits, - and _")]
    [InlineData("{ name: s, clients: [10.0.4.0/24], from: 'büro@example.org' }", "devices[0].from: 'büro@example.org' is not right here; expected an address such as scanner@example.org, in US-ASCII, or 'login'")]
    [InlineData("{ name: s, clients: [10.0.4.0/24], login: optional, from: login }", "devices[0].from: 'login' where they send without one; expected an address, or 'login: required'")]
    [InlineData("{ name: s, clients: [10.0.4.0/24], to: example.org }", "devices[0].to: 'example.org' is not right here; expected an address, or @ and a domain, such as boss@example.org or @example.org")]
    [InlineData("{ name: s, clients: [10.0.4.0/24], messages: 200 }", "devices[0].messages: '200' is not right here; expected a count and a time such as 500/1h, at most 31 days")]
    [InlineData("{ name: s, clients: [0.0.0.0/1, 128.0.0.0/1] }", "devices[0].clients: they hold every client there is: anybody could send as one of the devices 's'")]
    [InlineData("{ name: s, clients: ['::/1', '8000::/1'] }", "devices[0].clients: they hold every client there is")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', clients: [0.0.0.0/1, 128.0.0.0/1], login: required, auth: always }", "devices[0].clients: they hold every client there is, and 'auth: always' takes passwords in clear from all of them")]
    public void Mistakes_are_told_at_their_place(string entries, string expected)
    {
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(Parse($"devices: [{entries}]\n")).Errors);
        Assert.Contains(expected, error.ToString(), StringComparison.Ordinal);
        Assert.True(error.Line > 0, error.ToString());
    }

    /// <summary>What stands before what is said of devices may let somebody through who is none: it is found by asking.</summary>
    [Fact]
    public void A_list_that_lets_strangers_through_before_devices_are_asked_about_is_an_error_with_its_line()
    {
        const string Scanners = "devices: [{ name: s, listen: '127.0.0.1:2525', clients: [10.0.4.0/24] }]\n";
        var error = Assert.Single(Assert.IsType<ConfigurationOutcome.Invalid>(Parse(
            Scanners + "rules: { client: [permit, check_devices], sender: [permit, check_devices], helo: [permit, check_devices], recipient: [permit, check_devices], message: [permit, check_devices] }\n")).Errors);
        Assert.Contains("rules.recipient[0]: permit permits whoever comes to it before check_devices is asked, so anybody could send anything to anywhere through the listener s of the devices 's'", error.ToString(), StringComparison.Ordinal);
        Assert.IsType<ConfigurationOutcome.Valid>(Parse(Scanners + "rules: { recipient: [reject_suppressed_recipient, check_devices, reject_unauth_destination] }\n"));
    }

    [Theory]
    [InlineData("{ name: scanners, listen: '0.0.0.0:2525', clients: [10.0.4.0/24], tls_minimum: '1.0', login: required, auth: always }", "devices 'scanners' on :2525 takes TLS 1.0 and passwords in clear from 10.0.4.0/24")]
    [InlineData("{ name: s, listen: ['0.0.0.0:25', '[::]:25', '10.0.0.5:26'], clients: [10.0.4.0/24, 10.0.5.0/24], tls_minimum: '1.1', to: '@example.org' }", "devices 's' on :25 and 10.0.0.5:26 takes TLS 1.1 and mail without a login from 10.0.4.0/24 and 10.0.5.0/24")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', clients: [10.0.4.0/24], ciphers: compatible }", "devices 's' on :25 takes compatible ciphers and mail to anybody without a login from 10.0.4.0/24")]
    [InlineData("{ name: s, listen: '0.0.0.0:25', clients: [10.0.4.0/24], tls: none, login: optional, auth: always, to: a@example.org }", "devices 's' on :25 takes no TLS, passwords in clear and mail without a login from 10.0.4.0/24")]
    [InlineData("{ name: scanner-2f, clients: [10.0.0.20/32], from: scanner@example.org, to: ['@example.org'], messages: 200/1d }", "devices 'scanner-2f' on submission and submissions takes mail without a login from 10.0.0.20/32")]
    [InlineData("{ name: s, listen: '0.0.0.0:2587', login: required }", "devices 's' on :2587 takes nothing that others may not from everywhere")]
    public void What_is_weaker_than_elsewhere_is_said_in_one_sentence(string entry, string expected) => Assert.Equal(
        expected, DeviceText.Describe(Assert.Single(Assert.IsType<ConfigurationOutcome.Valid>(Parse($"devices: [{entry}]\n")).Configuration.Devices)));

    [Theory]
    [InlineData("{ name: all, listen: '0.0.0.0:25', clients: [10.0.4.0/24] }, { name: one, listener: all, clients: [10.0.4.7/32] }", "devices[1].clients: no client comes to it: all of them are devices 'all', which stand before it")]
    [InlineData("{ name: one, listener: all, clients: [10.0.4.7/32] }, { name: all, listen: '0.0.0.0:25', clients: [10.0.4.0/24] }", null)]
    [InlineData("{ name: one, clients: [10.0.4.7/32] }, { name: two, clients: [10.0.4.0/24] }", null)]
    [InlineData("{ name: one, clients: [10.0.4.7/32] }, { name: two, clients: [10.0.4.7/32], listener: known }", "devices[1].clients: no client comes to it")]
    [InlineData("{ name: one, listener: known, clients: [10.0.4.7/32] }", "devices[0].listener: the listener known takes no connection from 10.0.4.7/32: its 'clients' are others")]
    [InlineData("{ name: one, listener: known, clients: [10.0.0.0/8] }", null)]
    public void An_entry_that_no_client_comes_to_is_doubted(string entries, string? expected)
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(Parse(
            $"listeners: [{{ name: submission, listen: '127.0.0.1:587' }}, {{ name: known, listen: '127.0.0.1:588', clients: [10.0.5.0/24] }}]\ndevices: [{entries}]\n")).Configuration;
        var doubts = configuration.Doubts.Where(static d => d.Key.StartsWith("devices", StringComparison.Ordinal)).Select(static d => $"{d.Key}: {d.Text}").ToList();
        if (expected is null)
            Assert.Empty(doubts);
        else
            Assert.Contains(doubts, doubt => doubt.StartsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void A_listener_of_devices_lets_all_of_them_connect_and_nobody_else()
    {
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(Parse(
            """
            devices:
              - { name: one, listener: [all, submission], clients: [10.0.5.1/32] }
              - { name: all, listen: "0.0.0.0:2525", clients: [10.0.4.0/24] }
              - { name: branch, listen: "0.0.0.0:2587", login: required }
            """)).Configuration;
        Assert.Equal(["submission", "submissions", "all", "branch"], configuration.Listeners.Select(static l => l.Name));
        Assert.Equal(["10.0.5.1/32", "10.0.4.0/24"], configuration.Listeners[2].Clients!.Value.Select(static n => n.ToString()));
        Assert.Null(configuration.Listeners[3].Clients);
        Assert.Equal(["devices[1]", "devices[2]"], [configuration.KeyOf(2), configuration.KeyOf(3)]);
    }

    [Fact]
    public async Task Check_says_what_is_weakened_in_words_and_in_JSON()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\ndevices: [{ name: scanners, listen: '127.0.0.1:2525', clients: [10.0.4.0/24], tls_minimum: '1.0', to: '@example.org' }]\n");
        var check = await run.PosternAsync("check");
        Assert.True(check.ExitCode == ExitCode.Ok, check.Error);
        Assert.Contains("devices 'scanners' on 127.0.0.1:2525 takes TLS 1.0 and mail without a login from 10.0.4.0/24", check.Output, StringComparison.Ordinal);
        var said = (await run.JsonAsync("check")).GetProperty("devices")[0];
        Assert.Equal(["TLS 1.0", "mail without a login"], said.GetProperty("weakened").EnumerateArray().Select(static w => w.GetString()));
        Assert.Equal("10.0.4.0/24", said.GetProperty("clients")[0].GetString());
    }

    private static ConfigurationOutcome Parse(string yaml) => ConfigurationFile.Parse("postern.yaml", "/etc/here", yaml);
}
