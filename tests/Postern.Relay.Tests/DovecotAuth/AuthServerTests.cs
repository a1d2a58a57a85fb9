using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Audit.Events;
using Postern.Relay.DovecotAuth;
using Postern.Smtp.Transport;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.DovecotAuth;

/// <summary>The sockets of the authentication service: their files, who may connect, and what a new configuration changes.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class AuthServerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_file_has_its_mode_and_goes_with_the_listener()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options with { Places = [new AuthPlace.Unix(rig.Path) { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite }] });
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(rig.Path));

        var changed = rig.Apply(rig.Options);
        Assert.Equal(rig.Path, Assert.IsType<AuthPlace.Unix>(Assert.Single(changed.Kept).Place).Path);
        Assert.Equal(new AuthPlace.Unix(rig.Path).Mode, File.GetUnixFileMode(rig.Path));

        Assert.Single(rig.Apply().Removed);
        Assert.False(File.Exists(rig.Path));
    }

    [Fact]
    public async Task A_file_can_be_given_to_an_owner_and_a_group()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give files away");
        await using var rig = new AuthRig();
        rig.Apply(rig.Options with { Places = [new AuthPlace.Unix(rig.Path) { Owner = 1, Group = 12 }] });

        var run = await RunningProgram.RunAsync(["stat", "-c", "%u:%g", rig.Path]);
        Assert.Equal("1:12", run.Output.Trim());
    }

    [Fact]
    public async Task A_socket_that_a_dead_process_left_is_replaced_and_nothing_else_is()
    {
        await using var rig = new AuthRig();
        await LeaveSocketAsync(rig.Path);
        rig.Apply(rig.Options);
        await using (var peer = await AuthPeer.ConnectAsync(rig.Path))
            Assert.Contains("PLAIN", peer.Mechanisms);

        // One that somebody accepts on, a file, and a link stay.
        var busy = Assert.Throws<ListenException>(() => rig.Prepare(rig.Options, rig.Options with { Name = "second" }));
        Assert.Contains("something already listens there", busy.Message, StringComparison.Ordinal);
        var file = rig.Fixture.Beside("precious");
        await File.WriteAllTextAsync(file, "text", Ct);
        var link = rig.Fixture.Beside("link");
        File.CreateSymbolicLink(link, file);
        foreach (var taken in new[] { file, link })
        {
            var refused = Assert.Throws<ListenException>(() => rig.Prepare(rig.Options, rig.Options with { Name = "second", Places = [new AuthPlace.Unix(taken)] }));
            Assert.Equal("second", refused.Listener);
            Assert.Contains("what is there is no socket, and is not replaced", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal("text", await File.ReadAllTextAsync(file, Ct));
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_named()
    {
        await using var rig = new AuthRig();
        var refused = Assert.Throws<ListenException>(() => rig.Prepare(rig.Options with { Places = [new AuthPlace.Unix("/nowhere/at/all")] }));
        Assert.Contains("listener 'postfix' cannot listen on unix:/nowhere/at/all: there is no such directory", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_bound_for_a_change_that_is_not_made_is_closed()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        var other = rig.Fixture.Beside("other");
        using (rig.Prepare(rig.Options with { Places = [new AuthPlace.Unix(other)] }))
            Assert.True(File.Exists(other));

        Assert.False(File.Exists(other));
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);
        Assert.Equal("OK\tuser=lisa", await peer.LogInAsync("PLAIN", AuthRig.As("lisa", AuthRig.Password)));
    }

    [Fact]
    public async Task An_open_connection_is_answered_by_the_configuration_of_now_and_ends_with_its_listener()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);
        Assert.Equal("FAIL\treason=Authentication mechanism is not available", await peer.LogInAsync("PLAIN", AuthRig.As("lisa", AuthRig.Password), "service=smtp"));

        rig.Apply(rig.Options with { TakesSecretsInClear = true });
        Assert.Equal("OK\tuser=lisa", await peer.LogInAsync("PLAIN", AuthRig.As("lisa", AuthRig.Password), "service=smtp"));

        // What has been asked is answered first.
        rig.Far.Close();
        await peer.SayAsync($"AUTH\t77\tPLAIN\tservice=smtp\tsecured\tresp={Convert.ToBase64String("\0bart\0skateboard"u8)}");
        while (rig.Far.Asked == 0)
            await Task.Yield();
        Assert.Equal(1, Assert.Single(rig.Apply().Removed).Connections);
        rig.Far.Open();
        Assert.Equal("OK\t77\tuser=bart", await peer.ReadAsync());
        Assert.Null(await peer.ReadAsync());
    }

    [Fact]
    public async Task Tcp_takes_only_listed_servers()
    {
        await using var rig = new AuthRig();
        var anybody = rig.Options with { Places = [new AuthPlace.Tcp(new IPEndPoint(IPAddress.Loopback, 0))] };
        rig.Apply(anybody);
        var port = Assert.IsType<AuthPlace.Tcp>(Assert.Single(rig.Server.Endpoints).Place).Endpoint.Port;
        Assert.StartsWith("VERSION\t1\t2\n", await HearAsync(port), StringComparison.Ordinal);

        rig.Apply(anybody with { Clients = [IPNetwork.Parse("192.0.2.0/24")] });
        Assert.Equal(string.Empty, await HearAsync(port));
        Assert.Contains(rig.Log.Events.OfType<ServerEvent>(), static e => e is { Event: "turned_away", Detail: "postfix: 127.0.0.1: not in the listener's clients" });
    }

    [Fact]
    public async Task One_connection_too_many_is_closed_at_once()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options with { MaxConnections = 1 });
        await using var first = await AuthPeer.ConnectAsync(rig.Path);

        using var second = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await second.ConnectAsync(new UnixDomainSocketEndPoint(rig.Path), Ct);
        Assert.Equal(0, await second.ReceiveAsync(new byte[1], Ct));

        Assert.Contains(rig.Log.Events.OfType<ServerEvent>(), static e => e is { Event: "turned_away", Detail: "postfix: by its socket: more than 1 connections" });
        Assert.Equal("OK\tuser=lisa", await first.LogInAsync("PLAIN", AuthRig.As("lisa", AuthRig.Password)));
    }

    [Fact]
    public async Task Who_does_not_say_who_it_is_in_time_is_disconnected()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await silent.ConnectAsync(new UnixDomainSocketEndPoint(rig.Path), Ct);
        var buffer = new byte[4096];
        Assert.NotEqual(0, await silent.ReceiveAsync(buffer, Ct));

        rig.Fixture.Clock.Advance(AuthConnection.Patience);

        Assert.Equal(0, await silent.ReceiveAsync(buffer, Ct));
    }

    [Fact]
    public async Task A_client_that_does_not_respond_is_given_up_and_the_number_is_free()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);
        await peer.SayAsync("AUTH\t9\tLOGIN\tservice=smtp\tsecured");
        Assert.StartsWith("CONT\t9\t", await peer.ReadAsync(), StringComparison.Ordinal);

        rig.Fixture.Clock.Advance(AuthConnection.ResponseTime);

        Assert.Equal("FAIL\t9\treason=Authentication timed out", await peer.ReadAsync());
        Assert.Contains(rig.Log.Events.OfType<LoginEvent>(), static e => e is { Outcome: AuthOutcome.Cancelled, Reason: "the client sent no response in time" });
        await peer.SayAsync("AUTH\t9\tLOGIN\tservice=smtp\tsecured");
        Assert.StartsWith("CONT\t9\t", await peer.ReadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_beyond_the_most_are_answered_for_now()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);
        for (var i = 1; i <= AuthConnection.MostExchanges; i++)
        {
            await peer.SayAsync(string.Create(CultureInfo.InvariantCulture, $"AUTH\t{i}\tLOGIN\tservice=smtp\tsecured"));
            await peer.ReadAsync();
        }

        await peer.SayAsync("AUTH\t5000\tLOGIN\tservice=smtp\tsecured");
        Assert.Equal("FAIL\t5000\tcode=temp_fail\ttemp", await peer.ReadAsync());
        await peer.SayAsync("CANCEL\t1\nAUTH\t5000\tLOGIN\tservice=smtp\tsecured");
        Assert.StartsWith("CONT\t5000\t", await peer.ReadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_is_too_long_ends_the_connection()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);

        await peer.SayAsync("AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=" + new string('A', 16 * 1024));

        Assert.Null(await peer.ReadAsync());
        Assert.Contains(rig.Log.Events.OfType<ServerEvent>(), static e => e is { Event: "auth_protocol", Detail: "postfix: by its socket: a line of more than 16 KiB" });
    }

    [Fact]
    public async Task An_asking_server_that_leaves_stops_the_question()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        rig.Far.Close();
        await using (var peer = await AuthPeer.ConnectAsync(rig.Path))
        {
            await peer.SayAsync($"AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp={Convert.ToBase64String("\0bart\0skateboard"u8)}");
            while (rig.Far.Asked == 0)
                await Task.Yield();
        }

        while (rig.Far.Left == 0 || rig.Server.Connections > 0)
            await Task.Yield();
        Assert.Contains(rig.Log.Events.OfType<LoginEvent>(), static e => e is { Outcome: AuthOutcome.Cancelled, Reason: "the asking server left during authentication" });
    }

    private static async Task LeaveSocketAsync(string path)
    {
        // A socket of .NET takes its file with it; that of a process that was killed stays.
        var run = await RunningProgram.RunAsync(["python3", "-c", $"import socket; s = socket.socket(socket.AF_UNIX); s.bind('{path}'); s.listen(1)"]);
        Assert.Equal(0, run.ExitCode);
        Assert.True(File.Exists(path));
    }

    private static async Task<string> HearAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Ct);
        var buffer = new byte[4096];
        var read = await client.GetStream().ReadAsync(buffer, Ct);
        return System.Text.Encoding.ASCII.GetString(buffer, 0, read);
    }
}
