using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Audit.Onward;
using Postern.Testing;

namespace Postern.Relay.Tests.Audit.Onward;

/// <summary>The lines of the log as a syslog server gets them, and what happens when it is down, hangs, breaks off or is somebody else.</summary>
public sealed class SyslogTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly SyslogPeer server = SyslogPeer.Start();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static ForwardTimes Soon => new()
    {
        FirstPause = TimeSpan.FromMilliseconds(5),
        LongestPause = TimeSpan.FromMilliseconds(5),
        Patience = TimeSpan.FromMinutes(5),
        Idle = TimeSpan.FromMilliseconds(5),
        Gathering = TimeSpan.Zero,
        Saving = TimeSpan.Zero,
        Farewell = TimeSpan.FromMinutes(5),
    };

    private SyslogTarget Target => new("127.0.0.1", server.Port, IsTls: false) { Hostname = "mail.example.org" };

    public void Dispose()
    {
        server.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task An_event_is_a_message_with_its_length_before_it_and_the_line_of_the_file_in_it()
    {
        var log = Open(Target);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        using var client = await server.AcceptAsync();
        var message = await SyslogPeer.ReadAsync(client.GetStream());
        Assert.StartsWith(
            string.Create(
                CultureInfo.InvariantCulture,
                $"<86>1 2026-11-20T12:00:00.000000Z mail.example.org postern {Environment.ProcessId} login - {{\"at\":"),
            message,
            StringComparison.Ordinal);
        Assert.Equal(Assert.Single(await File.ReadAllLinesAsync(directory.FileOf("auth-2026-11-20.jsonl"), Ct)), LineOf(message));

        log.Append(AuditDirectory.Decision(AuditDirectory.Noon, "K7M3Q9"));
        Assert.StartsWith("<22>1 ", await SyslogPeer.ReadAsync(client.GetStream()), StringComparison.Ordinal);
        await CloseAsync(log, client);
    }

    [Fact]
    public async Task A_server_that_is_down_is_caught_up_from_the_files_in_the_order_of_time_and_both_are_told()
    {
        server.GoDown();
        var log = Open(Target);
        for (var i = 0; i < 300; i++)
        {
            log.Append(i % 2 == 0
                ? AuditDirectory.Login(AuditDirectory.Noon.AddSeconds(i), user: $"user{i}")
                : AuditDirectory.Decision(AuditDirectory.Noon.AddSeconds(i), $"REF{i}"));
        }

        Assert.Contains("cannot be connected to", await ToldAsync(log, "syslog_away"), StringComparison.Ordinal);
        server.GoUp();
        using var client = await server.AcceptAsync();
        for (var i = 0; i < 300;)
        {
            var message = await SyslogPeer.ReadAsync(client.GetStream());
            if (message.Contains(" server - ", StringComparison.Ordinal))
                continue; // that it is away
            Assert.Contains(i % 2 == 0 ? $"\"user{i}\"" : $"\"REF{i}\"", message, StringComparison.Ordinal);
            i++;
        }

        await ToldAsync(log, "syslog_back");
        await CloseAsync(log, client);
    }

    [Fact]
    public async Task What_came_while_it_was_down_is_sent_after_a_restart_and_nothing_older()
    {
        await directory.WriteAsync(AuditDirectory.Login(AuditDirectory.Noon, user: "before anybody asked"));
        server.GoDown();
        await using (var first = Open(Target, Soon with { Farewell = TimeSpan.FromMilliseconds(1) }))
            first.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "first"));
        // A command beside the server writes lines and sends none.
        await directory.WriteAsync(AuditDirectory.Login(AuditDirectory.Noon, user: "second"));
        server.GoUp();
        var log = Open(Target);
        using var client = await server.AcceptAsync();
        Assert.Contains("\"first\"", await SyslogPeer.ReadAsync(client.GetStream()), StringComparison.Ordinal);
        Assert.Contains("\"second\"", await SyslogPeer.ReadAsync(client.GetStream()), StringComparison.Ordinal);
        await CloseAsync(log, client);

        var last = Open(Target);
        last.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "third"));
        using var again = await server.AcceptAsync();
        Assert.Contains("\"third\"", await SyslogPeer.ReadAsync(again.GetStream()), StringComparison.Ordinal);
        await CloseAsync(last, again);
    }

    [Fact]
    public async Task What_was_sent_shortly_before_a_connection_broke_is_sent_again()
    {
        var log = Open(Target);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "first"));
        using (var broken = await server.AcceptAsync())
        {
            await SyslogPeer.ReadAsync(broken.GetStream());
            broken.Client.LingerState = new LingerOption(enable: true, seconds: 0); // a reset
        }

        using var client = await server.AcceptAsync();
        Assert.Contains("\"first\"", await SyslogPeer.ReadAsync(client.GetStream()), StringComparison.Ordinal);
        await CloseAsync(log, client);
    }

    [Fact]
    public async Task What_was_sent_long_ago_is_not_sent_again_and_an_end_is_seen_without_anything_to_send()
    {
        var log = Open(Target with { Settling = TimeSpan.FromMilliseconds(1) });
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "first"));
        using (var gone = await server.AcceptAsync())
        {
            await SyslogPeer.ReadAsync(gone.GetStream());
            await PlaceAsync(static files => files is [{ At: > 0 }]);
        }

        Assert.Contains("ended the connection", await ToldAsync(log, "syslog_away"), StringComparison.Ordinal);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "second"));
        using var client = await server.AcceptAsync();
        var next = await SyslogPeer.ReadAsync(client.GetStream());
        Assert.DoesNotContain("\"first\"", next, StringComparison.Ordinal);
        await CloseAsync(log, client);
    }

    [Fact]
    public async Task A_server_that_takes_nothing_for_a_while_is_left_and_tried_again()
    {
        var line = Encoding.UTF8.GetBytes(await LineAsync());
        await using var log = Open(Target, Soon with { Patience = TimeSpan.FromMilliseconds(200) });
        await using (var file = new FileStream(directory.FileOf("auth-2026-11-20.jsonl"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            // More than both systems take for a program that does not read.
            for (var octets = 0; octets < 24_000_000; octets += line.Length)
                await file.WriteAsync(line, Ct);
        }

        using var hanging = await server.AcceptAsync();
        // Where this machine has more to do, it may even be left before it was asked.
        Assert.Matches("(takes nothing|does not answer) for 0.2 s", await ToldAsync(log, "syslog_away"));
        using var again = await server.AcceptAsync();
    }

    [Fact]
    public async Task A_server_that_does_not_shake_hands_is_left_and_tried_again()
    {
        await using var log = Open(Target with { IsTls = true }, Soon with { Patience = TimeSpan.FromMilliseconds(200) });
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        using var hanging = await server.AcceptAsync();
        Assert.Contains("does not answer for 0.2 s", await ToldAsync(log, "syslog_away"), StringComparison.Ordinal);
        using var again = await server.AcceptAsync();
    }

    [Fact]
    public async Task Over_TLS_events_go_to_a_server_whose_certificate_verifies()
    {
        using var authority = TestAuthority.Create("syslog");
        using var certificate = authority.IssueServer(["localhost"], [IPAddress.Loopback]);
        await using var log = Open(Target with { IsTls = true, Authorities = [authority.Certificate] });
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        using var client = await server.AcceptAsync();
        await using var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Ct);
        Assert.StartsWith("<86>1 ", await SyslogPeer.ReadAsync(stream), StringComparison.Ordinal);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "second"));
        Assert.Contains("\"second\"", await SyslogPeer.ReadAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_with_a_certificate_of_somebody_else_gets_nothing()
    {
        using var authority = TestAuthority.Create("syslog");
        using var stranger = TestAuthority.Create("stranger");
        using var certificate = stranger.IssueServer(["localhost"], [IPAddress.Loopback]);
        await using var log = Open(Target with { IsTls = true, Authorities = [authority.Certificate] }, Soon with { Farewell = TimeSpan.Zero });
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        using (var client = await server.AcceptAsync())
        {
            await using var stream = new SslStream(client.GetStream());
            try
            {
                await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Ct);
                Assert.Equal(0, await stream.ReadAsync(new byte[1], Ct));
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // It went away without a word.
            }
        }

        Assert.Contains("certificate", await ToldAsync(log, "syslog_away"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_was_deleted_before_the_server_had_it_is_a_gap_with_its_octets()
    {
        server.GoDown();
        await using var log = Open(Target);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "lost"));
        await log.FlushAsync(Ct);
        await ToldAsync(log, "syslog_away");
        var file = directory.FileOf("auth-2026-11-20.jsonl");
        var octets = new FileInfo(file).Length;
        File.Delete(file);
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"{octets} octets of auth-2026-11-20.jsonl were deleted"),
            await ToldAsync(log, "syslog_gap"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_server_goes_on_where_the_one_before_was_and_none_is_sent_nothing()
    {
        using var other = SyslogPeer.Start();
        server.GoDown();
        await using var log = Open(Target);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "first"));
        await ToldAsync(log, "syslog_away");
        log.Apply(log.Options with { Syslog = Target with { Port = other.Port } });
        using var client = await other.AcceptAsync();
        Assert.Contains("\"first\"", await SyslogPeer.ReadAsync(client.GetStream()), StringComparison.Ordinal);

        log.Apply(log.Options with { Syslog = null });
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "nobody hears"));
        await log.FlushAsync(Ct);
        Assert.False(File.Exists(LogPlace.PathOf(directory.Path, "syslog")));
    }

    [Fact]
    public async Task Where_its_place_is_damaged_it_gets_all_that_is_kept_and_that_is_told()
    {
        await directory.WriteAsync(AuditDirectory.Login(AuditDirectory.Noon, user: "kept"));
        await File.WriteAllTextAsync(LogPlace.PathOf(directory.Path, "syslog"), "auth-2026-11-20.jsonl 12", Ct);
        var log = Open(Target);
        using var client = await server.AcceptAsync();
        Assert.Contains("\"kept\"", await SyslogPeer.ReadAsync(client.GetStream()), StringComparison.Ordinal);
        Assert.Contains("damaged", await ToldAsync(log, "syslog_place"), StringComparison.Ordinal);
        await CloseAsync(log, client);
    }

    [Theory]
    [InlineData("tcp://log.example.net", "tcp://log.example.net:514")]
    [InlineData("tcp+tls://log.example.net", "tcp+tls://log.example.net:6514")]
    [InlineData("TCP+TLS://log.example.net:1999", "tcp+tls://log.example.net:1999")]
    [InlineData("tcp://[2001:db8::7]:1999", "tcp://[2001:db8::7]:1999")]
    [InlineData("udp://log.example.net", null)]
    [InlineData("tcp://", null)]
    [InlineData("tcp://log.example.net/path", null)]
    [InlineData("tcp://user@log.example.net", null)]
    [InlineData("log.example.net:514", null)]
    public void A_server_is_read_as_it_is_written(string text, string? read)
    {
        Assert.Equal(read is not null, SyslogTarget.TryParse(text, out var target));
        Assert.Equal(read, target?.ToString());
    }

    private JsonLinesAuditLog Open(SyslogTarget target, ForwardTimes? times = null) => new(
        new AuditLogOptions { Directory = directory.Path, KeepDays = 100_000, Syslog = target, Forwarding = times ?? Soon },
        TimeProvider.System);

    /// <summary>What the log tells of it, when it does.</summary>
    private async Task<string> ToldAsync(JsonLinesAuditLog log, string what)
    {
        while (true)
        {
            await log.FlushAsync(Ct);
            var told = (await directory.FindAsync(new AuditQuery { Kinds = AuditKind.Server })).OfType<ServerEvent>();
            if (told.FirstOrDefault(one => one.Event == what) is { } found)
                return found.Detail;
            await Task.Yield();
        }
    }

    /// <summary>Waits until the place that is remembered is as it should be.</summary>
    private async Task PlaceAsync(Func<(AuditFileName Name, long At)[], bool> isRight)
    {
        while (LogPlace.Load(LogPlace.PathOf(directory.Path, "syslog")) is not { } place
            || !isRight([.. place.Files.Select(static file => (file.Key, file.Value.At))]))
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<string> LineAsync()
    {
        using var other = new AuditDirectory();
        await other.WriteAsync(AuditDirectory.Login(AuditDirectory.Noon));
        return await File.ReadAllTextAsync(other.FileOf("auth-2026-11-20.jsonl"), Ct);
    }

    private static string LineOf(string message) => message[message.IndexOf('{', StringComparison.Ordinal)..];

    /// <summary>Ends the log while the server reads on, as one does.</summary>
    private static async Task CloseAsync(JsonLinesAuditLog log, TcpClient client)
    {
        var ending = log.DisposeAsync().AsTask();
        var rest = new byte[4_096];
        while (await client.GetStream().ReadAsync(rest, Ct) > 0)
        {
        }

        client.Dispose();
        await ending;
    }
}
