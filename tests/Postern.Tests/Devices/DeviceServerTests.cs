using System.Net;
using Postern.Commands.Output;
using Postern.Testing;
using Postern.Tests.Hosting;

namespace Postern.Tests.Devices;

/// <summary>Devices of a running server: their limits, what is explained and told of them, and what a reload changes.</summary>
public sealed class DeviceServerTests : IAsyncDisposable
{
    private const string Scan = "Subject: Scan\r\n\r\nx\r\n";

    private readonly LiveServer server = new();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Each_device_has_its_own_limit_which_an_operator_sees_and_raises()
    {
        await server.StartAsync(Devices("messages: 2/1d"));
        await using var first = await ConnectAsync("127.0.0.5");
        await using var second = await ConnectAsync("127.0.0.6");
        for (var i = 0; i < 2; i++)
            Assert.StartsWith("250", await first.SendAsync("x@device.local", "lisa@example.org", Scan), StringComparison.Ordinal);

        var refused = await first.AskAsync("MAIL FROM:<x@device.local>");
        Assert.Matches("^450 4.7.1 <x@device.local>: Sender address rejected: over the limit of 2/1d messages of this device, try again in [0-9]+ h \\(ref [0-9A-Z]{6}\\)", refused);
        Assert.StartsWith("250", await second.SendAsync("x@device.local", "lisa@example.org", Scan), StringComparison.Ordinal);

        await server.FlushLogAsync();
        var why = (await server.Run.PosternAsync("explain", refused.Split("(ref ")[1][..6])).Output;
        Assert.Contains("2 of 2/1d messages used by scanners/127.0.0.5 (devices.messages)", why, StringComparison.Ordinal);
        Assert.Contains("postern limits raise scanners/127.0.0.5 messages 4/1d --for 2h --of devices", why, StringComparison.Ordinal);
        Assert.Contains("scanners/127.0.0.5  devices.messages  2     2/1d   over", (await server.Run.PosternAsync("limits")).Output, StringComparison.Ordinal);
        var raised = await server.Run.PosternAsync("limits", "raise", "scanners/127.0.0.5", "messages", "4/1d", "--for", "2h");
        Assert.True(raised.ExitCode == ExitCode.Ok, raised.Error);
        Assert.StartsWith("250", await first.SendAsync("x@device.local", "lisa@example.org", Scan), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_decided_of_a_device_shows_each_rule_and_what_would_change_it()
    {
        await server.StartAsync(Devices("messages: 200/1d"));
        await using var device = await ConnectAsync("127.0.0.5");
        await device.SayAsync("MAIL FROM:<x@device.local>", "250");
        var refused = await device.SayAsync("RCPT TO:<bart@elsewhere.example>", "550 5.7.1 <bart@elsewhere.example>: Recipient address rejected: this client may write to other recipients only");

        await server.FlushLogAsync();
        var why = (await server.Run.PosternAsync("explain", refused.Split("(ref ")[1][..6])).Output;
        foreach (var part in (string[])["check_devices", "client 127.0.0.5 is one of devices 'scanners'", "the sender becomes scanner@example.org", "bart@elsewhere.example is none of @example.org", "add bart@elsewhere.example to the key 'to' of devices 'scanners' in postern.yaml"])
            Assert.Contains(part, Unbroken(why), StringComparison.Ordinal);

        var asked = await server.Run.PosternAsync("explain", "--listener", "scanners", "--client", "127.0.0.7", "--from", "x@device.local", "--to", "lisa@example.org");
        Assert.True(asked.ExitCode == ExitCode.Ok, asked.Output + asked.Error);
        Assert.Contains("rewrite_header_from", asked.Output, StringComparison.Ordinal);
        var stranger = await server.Run.PosternAsync("explain", "--listener", "scanners", "--client", "192.0.2.7", "--from", "x@device.local", "--to", "lisa@example.org");
        Assert.Equal(ExitCode.No, stranger.ExitCode);
        Assert.Contains("listener scanners takes no connection from 192.0.2.7", stranger.Output + stranger.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_on_a_listener_of_all_is_bound_and_all_others_are_as_before()
    {
        await server.StartAsync(LiveServer.Listeners + "devices: [{ name: copier, listener: devices, clients: [127.0.0.5/32], from: copier@example.org, to: '@example.org' }]\n");
        var listener = server.Host.Relay.Endpoints[0].Endpoint;
        await using (var device = await SmtpDialogue.GreetAsync(listener, source: IPAddress.Parse("127.0.0.5")))
        {
            Assert.StartsWith("250", await device.SendAsync("x@device.local", "lisa@example.org", Scan), StringComparison.Ordinal);
            await device.SayAsync("MAIL FROM:<x@device.local>", "250");
            await device.SayAsync("RCPT TO:<bart@elsewhere.example>", "550 5.7.1");
        }

        await using var other = await SmtpDialogue.GreetAsync(listener, source: IPAddress.Parse("127.0.0.6"));
        await other.SayAsync("MAIL FROM:<x@device.local>", "250");
        await other.SayAsync("RCPT TO:<lisa@example.org>", "530 5.7.0");
    }

    [Fact]
    public async Task A_reload_changes_what_is_said_of_devices_and_ends_no_session()
    {
        await server.StartAsync(Devices("messages: 200/1d"));
        var port = server.Port("scanners");
        await using var open = await ConnectAsync("127.0.0.5");
        Assert.Contains("devices 'scanners' on 127.0.0.1:0 takes mail without a login from 127.0.0.0/24", Unbroken((await server.Run.PosternAsync("status")).Output), StringComparison.Ordinal);

        await server.WriteAsync(Devices("messages: 200/1d", clients: "127.0.0.6/32", from: "other@example.org", more: "login: optional, auth: always, "));
        var reload = await server.Run.PosternAsync("reload");
        Assert.True(reload.ExitCode == ExitCode.Ok, reload.Error);
        Assert.Contains($"kept scanners 127.0.0.1:{port}", reload.Output, StringComparison.Ordinal);
        Assert.Contains("devices[0].clients: [127.0.0.0/24] -> [127.0.0.6/32]", reload.Output, StringComparison.Ordinal);

        // Who was there goes on by what counted then, and who comes is asked anew.
        Assert.StartsWith("250", await open.SendAsync("x@device.local", "lisa@example.org", Scan), StringComparison.Ordinal);
        await using (var gone = await SmtpDialogue.OpenAsync(server.Host.Relay.Endpoints.Single(static e => e.Listener.Name == "scanners").Endpoint, IPAddress.Parse("127.0.0.5")))
            await gone.ExpectAsync("554 5.7.1 Your address may not connect here");
        await using (var come = await ConnectAsync("127.0.0.6"))
            Assert.StartsWith("250", await come.SendAsync("x@device.local", "lisa@example.org", Scan), StringComparison.Ordinal);
        var devices = (await server.Run.JsonAsync("status")).GetProperty("devices")[0];
        Assert.Equal(["passwords in clear", "mail without a login"], devices.GetProperty("weakened").EnumerateArray().Select(static w => w.GetString()));
        Assert.Equal("devices 'scanners' on 127.0.0.1:0 takes passwords in clear and mail without a login from 127.0.0.6/32", devices.GetProperty("text").GetString());
    }

    private static string Devices(string limit, string clients = "127.0.0.0/24", string from = "scanner@example.org", string more = "") =>
        $"{LiveServer.Listeners}devices: [{{ name: scanners, listen: '127.0.0.1:0', clients: [{clients}], {more}from: {from}, to: '@example.org', {limit} }}]\n";

    /// <summary>A page without what breaks its lines.</summary>
    private static string Unbroken(string page) => string.Join(' ', page.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Where(static word => word.Any(char.IsLetterOrDigit)));

    private Task<SmtpDialogue> ConnectAsync(string source) =>
        SmtpDialogue.GreetAsync(server.Host.Relay.Endpoints.Single(static e => e.Listener.Name == "scanners").Endpoint, source: IPAddress.Parse(source));
}
