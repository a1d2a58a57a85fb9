using System.Net.Sockets;
using Postern.Commands.Output;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>A listener of protocol dovecot-auth, as operators write it, look at it and change it.</summary>
public sealed class AuthServiceTests : IAsyncDisposable
{
    private readonly LiveServer server = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Path => System.IO.Path.Combine(server.Run.Root, "auth");

    private string Listener => $"  - {{ name: postfix, protocol: dovecot-auth, listen: ['unix:{Path}'], mode: '0600' }}\n";

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task It_is_checked_served_shown_and_taken_away_by_a_reload()
    {
        const string Mail = "listeners:\n  - { name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always }\n";
        await server.StartAsync(Mail);
        await server.WriteAsync(Mail + Listener);

        var check = await server.Run.PosternAsync("check");
        Assert.Contains($"unix:{Path}, dovecot-auth, auth tls-only: SCRAM-SHA-256 PLAIN LOGIN", check.Output, StringComparison.Ordinal);
        Assert.Contains($"opened postfix unix:{Path}", (await server.Run.PosternAsync("reload")).Output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        Assert.StartsWith("VERSION\t1\t2\nMECH\tSCRAM-SHA-256\tmutual-auth\n", await HearAsync(), StringComparison.Ordinal);
        var status = await server.Run.PosternAsync("status");
        Assert.Contains($"unix:{Path}, dovecot-auth, auth tls-only, ", status.Output, StringComparison.Ordinal);
        var shown = (await server.Run.JsonAsync("status")).GetProperty("listeners").EnumerateArray().Last();
        Assert.Equal(("postfix", "dovecot-auth"), (shown.GetProperty("name").GetString(), shown.GetProperty("protocol").GetString()));

        Assert.Contains($"kept postfix unix:{Path}", (await ReloadAsync(Mail + Listener.Replace("'0600'", "'0660'", StringComparison.Ordinal))).Output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(Path));
        Assert.Contains($"closed postfix unix:{Path}", (await ReloadAsync(Mail)).Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
    }

    [Fact]
    public async Task A_place_that_cannot_be_bound_changes_nothing()
    {
        await server.StartAsync();
        var port = server.Port("devices");
        var refused = await ReloadAsync("listeners:\n  - { name: other, listen: ['127.0.0.1:0'], tls: none }\n  - { name: postfix, protocol: dovecot-auth, listen: ['unix:/nowhere/at/all'] }\n");

        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains("listeners[1].listen", refused.Error, StringComparison.Ordinal);
        Assert.Contains("cannot listen on unix:/nowhere/at/all: there is no such directory", refused.Error, StringComparison.Ordinal);
        Assert.Equal(port, server.Port("devices"));
    }

    [Fact]
    public async Task A_login_is_rehearsed_as_on_the_listener()
    {
        await server.StartAsync("listeners:\n" + Listener);
        var run = await server.Run.WithInputAsync(LiveServer.Password, "auth", "test", LiveServer.User, "--listener", "postfix");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("235", run.Output, StringComparison.Ordinal);
        Assert.Contains("postfix", run.Output, StringComparison.Ordinal);
        var explained = await server.Run.PosternAsync("explain", "--client", "192.0.2.1", "--from", "a@example.org", "--to", "b@example.net", "--listener", "postfix");
        Assert.Contains("listener 'postfix' takes no mail: other servers have logins checked there", explained.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_only_others_ask_takes_mail_once_it_has_a_listener_for_it()
    {
        const string Mail = "  - { name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always }\n";
        await server.StartAsync("listeners:\n" + Listener);
        Assert.StartsWith("VERSION\t1\t2\n", await HearAsync(), StringComparison.Ordinal);

        var more = await ReloadAsync("listeners:\n" + Listener + Mail);
        Assert.Contains($"opened devices 127.0.0.1:{server.Port("devices")}", more.Output, StringComparison.Ordinal);
        await (await server.ConnectAsync()).DisposeAsync();

        Assert.Contains("closed devices", (await ReloadAsync("listeners:\n" + Listener)).Output, StringComparison.Ordinal);
        Assert.Contains("opened devices", (await ReloadAsync("listeners:\n" + Listener + Mail)).Output, StringComparison.Ordinal);
        await (await server.ConnectAsync()).DisposeAsync();
    }

    [Theory]
    [InlineData("protocol: dovecot-auth, listen: ['127.0.0.1:0'], tls: starttls", "where protocol is 'dovecot-auth' other servers ask, and no mail is taken")]
    [InlineData("protocol: dovecot-auth, listen: ['127.0.0.1:0'], xclient_from: [10.0.0.0/8]", "where protocol is 'dovecot-auth' other servers ask, and no mail is taken")]
    [InlineData("protocol: dovecot-auth, listen: ['127.0.0.1:0'], auth: off", "where protocol is 'dovecot-auth' logins are all there is")]
    [InlineData("protocol: dovecot-auth, listen: ['127.0.0.1:0'], mode: '0600'", "no Unix socket is in 'listen', of protocol 'dovecot-auth'")]
    [InlineData("protocol: dovecot-auth, listen: ['unix:auth']", "the path of a socket begins with /")]
    [InlineData("protocol: dovecot-auth, listen: ['/run/auth'], mode: '0888'", "permissions in octal digits such as 0660")]
    [InlineData("protocol: dovecot-auth, listen: ['/run/auth'], owner: nobody-of-that-name", "this machine has no user 'nobody-of-that-name'")]
    [InlineData("protocol: dovecot-auth, listen: ['/run/auth'], group: nobody-of-that-name", "this machine has no group 'nobody-of-that-name'")]
    [InlineData("protocol: dovecot-auth, listen: ['/run/auth'], mechanisms: [ANONYMOUS]", "ANONYMOUS is never offered here: the server that asks would take it for a login")]
    [InlineData("protocol: dovecot-auth, listen: ['/run/auth'], mechanisms: [SCRAM-SHA-256-PLUS]", "SCRAM-SHA-256-PLUS is never offered here: what it binds to stays with the server that asks")]
    [InlineData("listen: ['unix:/run/auth'], tls: none", "/run/auth is a Unix socket, on which only protocol 'dovecot-auth' listens")]
    public async Task What_is_wrong_is_said(string listener, string expected)
    {
        using var run = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\nlisteners: [{{ name: postfix, {listener} }}]\n");

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Usage, check.ExitCode);
        Assert.Contains(expected, check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_travels_in_clear_is_warned_of()
    {
        using var run = new CommandRun("""
            server: { hostname: mail.example.org, data: data }
            listeners: [{ name: postfix, protocol: dovecot-auth, listen: ['0.0.0.0:12345'], mechanisms: [EXTERNAL, PLAIN] }]
            """);

        var check = await run.PosternAsync("check");

        Assert.Equal(ExitCode.Ok, check.ExitCode);
        foreach (var warning in (string[])["travels in clear, passwords included", "whoever reaches 0.0.0.0:12345 can try passwords there", "is believed by EXTERNAL to be whom he names"])
            Assert.Contains(warning, check.Error, StringComparison.Ordinal);
    }

    private async Task<CommandRun.Result> ReloadAsync(string text)
    {
        await server.WriteAsync(text);
        return await server.Run.PosternAsync("reload");
    }

    private async Task<string> HearAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path), Ct);
        var buffer = new byte[4096];
        return System.Text.Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Ct));
    }
}
