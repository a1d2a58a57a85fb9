using Postern.Testing.Sinks;

namespace Postern.Tests.Hosting;

/// <summary>A sender for each recipient, from a mailing list program to the next hop and back.</summary>
public sealed class VerpMailTests : IAsyncDisposable
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
    public async Task Who_is_authorized_has_each_recipient_sent_to_from_a_sender_of_its_own()
    {
        await StartAsync("authorized_verp_clients: [127.0.0.0/8]");
        await using var session = await server.ConnectAsync();
        await session.SayAsync("EHLO lists.example", "250-mail.example.org");
        await session.LogInAsync(LiveServer.User, LiveServer.Password);
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}> XVERP=-=", "250");
        await session.SayAsync("RCPT TO:<a@example.net>", "250");
        await session.SayAsync("RCPT TO:<b@example.net>", "250");
        await session.SayAsync("DATA", "354");
        await session.SayAsync("Subject: hello\r\n\r\nBody\r\n.", "250");
        Assert.Equal(
            ["lisa-a=example.net@example.org a@example.net", "lisa-b=example.net@example.org b@example.net"],
            (await sink.NextMessagesAsync(2)).Select(static m => $"{m.Sender} {Assert.Single(m.Recipients)}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nobody_else_may_and_a_list_whose_file_says_so_has_it_all_the_same()
    {
        await StartAsync("xforward_from: [127.0.0.0/8]");
        await using var session = await server.ConnectAsync();
        await session.SayAsync("MAIL FROM:<x@example.com> XVERP", "555 5.5.4 ");
        await session.SayAsync("MAIL FROM:<x@example.com>", "250");
        await session.SayAsync("RCPT TO:<staff@mail.example.org>", "250");
        await session.SayAsync("DATA", "354");
        await session.SayAsync("Subject: hello\r\n\r\nBody\r\n.", "250");
        Assert.Equal(
            ["owner-staff+a=example.net@mail.example.org a@example.net", "owner-staff+b=example.net@mail.example.org b@example.net"],
            (await sink.NextMessagesAsync(2)).Select(static m => $"{m.Sender} {Assert.Single(m.Recipients)}").Order(StringComparer.Ordinal));

        // A report comes back: it is the owner's.
        await session.SayAsync("MAIL FROM:<>", "250");
        await session.SayAsync("RCPT TO:<owner-staff+a=example.net@mail.example.org>", "250");
        await session.SayAsync("DATA", "354");
        await session.SayAsync("Subject: failed\r\n\r\nBody\r\n.", "250");
        var report = await sink.NextMessageAsync();
        Assert.Equal((string.Empty, "boss@example.net"), (report.Sender, Assert.Single(report.Recipients)));
    }

    private async Task StartAsync(string key)
    {
        await File.WriteAllTextAsync(Path.Combine(server.Run.Root, "lists"), "staff: a@example.net, b@example.net\nowner-staff: boss@example.net\n", Cancelled);
        await server.StartAsync(
            $"listeners: [{{ name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always, {key} }}]\ndomains: [mail.example.org]\n"
                + $"delivery:\n  aliases: [{{ file: lists, verp: true }}]\n  routes: [{{ to: '*', via: 'smtp://127.0.0.1:{sink.Port}' }}]\n");
    }
}
