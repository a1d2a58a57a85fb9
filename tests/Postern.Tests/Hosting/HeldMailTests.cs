using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Tests.Hosting;

/// <summary>How much a login may have held is said at MAIL, by what the client declares, and else at the end of the content (RFC 4865 §5.3).</summary>
public sealed class HeldMailTests : IAsyncDisposable
{
    private readonly LiveServer server = new();
    private readonly ScriptedSink sink = new();

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task A_login_has_so_many_messages_and_octets_held_and_no_more_over_a_reload_too()
    {
        await server.StartAsync(LiveServer.Listeners + "limits: { held_messages: 2, held_size: 100KB }\n");
        await using var session = await server.ConnectAsync();
        await session.LogInAsync(LiveServer.User, LiveServer.Password);

        await session.SayAsync($"MAIL FROM:<{LiveServer.User}> HOLDFOR=3600 SIZE=100001", "552 5.7.16 Held mail of this login reaches its limit, 2 messages, 100000 octets");
        await SendAsync(session, "HOLDFOR=3600", "250");
        await SendAsync(session, "HOLDFOR=3600", "552 5.7.16", octets: 100_000);
        await SendAsync(session, string.Empty, "250", octets: 100_000);
        await SendAsync(session, "HOLDFOR=7200", "250");
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}> HOLDFOR=60", "552 5.7.16");
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        await session.SayAsync("RSET", "250");
        // Until a time that has passed nothing is held.
        await SendAsync(session, "HOLDUNTIL=2020-01-01T00:00:00Z", "250", octets: 100_000);
        await server.FlushLogAsync();
        Assert.Contains("held_of_login", (await server.Run.PosternAsync("log", "server")).Output, StringComparison.Ordinal);

        await server.ReloadAsync(LiveServer.Listeners + "limits: { held_messages: 3 }\n");
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}> HOLDFOR=60", "250");
    }

    [Fact]
    public async Task A_tenant_has_a_limit_of_its_own_and_what_was_held_counts_after_a_restart()
    {
        const string Configuration = LiveServer.Listeners + "tenants: { acme: { held_messages: 1 } }\n";
        await server.StartAsync(Configuration);
        await server.Run.PosternAsync("account", "grant", LiveServer.User, "--tenant", "acme");
        await using (var session = await server.ConnectAsync())
        {
            await session.LogInAsync(LiveServer.User, LiveServer.Password);
            await SendAsync(session, "HOLDFOR=3600", "250");
        }

        await server.Host.DisposeAsync();
        await server.StartAsync(Configuration);
        await using var again = await server.ConnectAsync();
        await again.LogInAsync(LiveServer.User, LiveServer.Password);
        await again.SayAsync($"MAIL FROM:<{LiveServer.User}> HOLDFOR=60", "552 5.7.17 Held mail of tenant acme reaches its limit, 1 messages");
    }

    private static async Task SendAsync(SmtpDialogue session, string parameters, string reply, int octets = 10)
    {
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}> {parameters}".TrimEnd(), "250");
        await session.SayAsync("RCPT TO:<bart@example.net>", "250");
        await session.SayAsync("DATA", "354");
        var lines = string.Concat(Enumerable.Repeat(new string('x', 98) + "\r\n", octets / 100));
        await session.SayAsync($"Subject: later\r\n\r\n{lines}.", reply);
    }
}
