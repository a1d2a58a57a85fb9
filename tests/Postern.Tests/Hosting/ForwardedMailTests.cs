using Postern.Testing.Sinks;

namespace Postern.Tests.Hosting;

/// <summary>A forward to somebody else's domain, from the session to the next hop and back, as <c>delivery.srs</c> has it.</summary>
public sealed class ForwardedMailTests : IAsyncDisposable
{
    private readonly LiveServer server = new();
    private readonly ScriptedSink sink = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task A_forward_goes_out_as_an_address_of_ours_and_its_bounce_comes_back_through_it()
    {
        await StartAsync();
        await SendAsync("x@else.example", "lisa@mail.example.org");
        var forwarded = await sink.NextMessageAsync();
        Assert.Matches("^SRS0=....=..=else.example=x@fwd.example.org$", forwarded.Sender);

        await SendAsync(string.Empty, forwarded.Sender);
        var back = await sink.NextMessageAsync();
        Assert.Equal((string.Empty, "x@else.example"), (back.Sender, Assert.Single(back.Recipients)));

        await server.UntilAsync(() => server.Host.Relay.Totals.Delivered > 1);
        await server.Host.Relay.Audit.FlushAsync(Cancelled);
        await server.FlushLogAsync();
        var told = (await server.Run.JsonAsync("log", "mail", "--outcome", "delivered", "--to", "lisa@far.example"))[0];
        Assert.Equal(forwarded.Sender, told.GetProperty("sent_as").GetString());
        foreach (var command in (string[][])[["queue", "show", told.GetProperty("queue_id").GetString()!], ["explain", told.GetProperty("queue_id").GetString()!]])
            Assert.Contains($"sent as {forwarded.Sender}", (await server.Run.PosternAsync(command)).Output, StringComparison.Ordinal);
        var explained = (await server.Run.PosternAsync("explain", "--client", "192.0.2.7", "--from", "<>", "--to", forwarded.Sender)).Output;
        Assert.Contains("it stands for another address, by delivery.srs", explained, StringComparison.Ordinal);
        Assert.Contains("x@else.example", explained, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forged_address_is_refused_at_RCPT_to_strangers_and_to_logins()
    {
        await StartAsync();
        await using var session = await server.ConnectAsync();
        await session.SayAsync("MAIL FROM:<>", "250");
        await session.SayAsync("RCPT TO:<SRS0=AAAA=BB=else.example=x@fwd.example.org>", "550 5.1.1 <SRS0=AAAA=BB=else.example=x@fwd.example.org>: Recipient address rejected: the address looks rewritten, and was not made here (ref ");
        await session.SayAsync("RCPT TO:<SRS1=AAAA=first.example==AAAA=BB=else.example=x@fwd.example.org>", "550 5.1.1 ");
        await session.SayAsync("RCPT TO:<else@fwd.example.org>", "530 5.7.0 ");
        await session.SayAsync("RSET", "250");
        await session.LogInAsync(LiveServer.User, LiveServer.Password);
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        await session.SayAsync("RCPT TO:<SRS0=AAAA=BB=else.example=x@fwd.example.org>", "550 5.1.1 ");
    }

    [Fact]
    public async Task Check_says_what_is_wrong_with_the_section()
    {
        async Task<string> CheckAsync(string section)
        {
            await server.WriteAsync($"{LiveServer.Listeners}delivery: {{ routes: [{{ to: '*' }}], srs: {section} }}\n");
            return (await server.Run.PosternAsync("check")).Error;
        }

        Assert.Contains("delivery.srs.secret: missing key", await CheckAsync("{ domain: fwd.example.org }"), StringComparison.Ordinal);
        var guessed = await CheckAsync("{ secret: short-word }");
        Assert.Contains("delivery.srs.secret: it has fewer than 12 letters and could be guessed", guessed, StringComparison.Ordinal);
        Assert.DoesNotContain("short-word", guessed, StringComparison.Ordinal);
        Assert.Contains("delivery.srs.older_secrets[0]: ", await CheckAsync("{ secret: a secret of twelve, older_secrets: ['file:gone'] }"), StringComparison.Ordinal);
        Assert.Contains("delivery.srs.valid_for", await CheckAsync("{ secret: a secret of twelve, valid_for: 2y }"), StringComparison.Ordinal);
    }

    private async Task StartAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(server.Run.Root, "forwards"), "lisa@mail.example.org lisa@far.example\n", Cancelled);
        await server.StartAsync(
            $"{LiveServer.Listeners}domains: [mail.example.org]\ndelivery:\n  forwards: [forwards]\n  srs: {{ secret: a secret of twelve, domain: fwd.example.org }}\n"
                + $"  routes: [{{ to: '*', via: 'smtp://127.0.0.1:{sink.Port}' }}]\n");
    }

    private async Task SendAsync(string from, string to)
    {
        await using var session = await server.ConnectAsync();
        await session.SayAsync($"MAIL FROM:<{from}>", "250");
        await session.SayAsync($"RCPT TO:<{to}>", "250");
        await session.SayAsync("DATA", "354");
        await session.SayAsync("Subject: hello\r\n\r\nBody\r\n.", "250");
    }
}
