using System.Text;
using MimeKit;
using MimeKit.Cryptography;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Tests.Hosting;

/// <summary>A forward to somebody else's domain is sealed from the session to the next hop, as <c>delivery.arc</c> has it.</summary>
public sealed class SealedMailTests : IAsyncDisposable
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
    public async Task A_forward_is_sealed_by_the_key_of_its_domain_and_the_log_names_it()
    {
        await StartAsync(string.Empty);
        Assert.Equal(0, (await server.Run.PosternAsync("dkim", "create", "example.org", "--selector", "seal", "--algorithm", "rsa")).ExitCode);
        Assert.Equal(0, (await server.Run.PosternAsync("dkim", "activate", "example.org", "--unchecked")).ExitCode);
        var record = (await server.Run.JsonAsync("dkim", "dns", "example.org"))[0].GetProperty("recordText").GetString()!;

        await SendAsync();
        var forwarded = await sink.NextMessageAsync();

        using var stream = new MemoryStream(forwarded.Content);
        var message = await MimeMessage.LoadAsync(stream, Cancelled);
        var verifier = new ArcVerifier(new PublishedKeys(new Dictionary<string, string> { ["seal._domainkey.example.org"] = record }));
        Assert.Equal(ArcSignatureValidationResult.Pass, (await verifier.VerifyAsync(message, Cancelled)).Chain);
        Assert.Contains("mail.example.org; dkim=none; arc=none", message.Headers["ARC-Authentication-Results"], StringComparison.Ordinal);
        await server.UntilAsync(() => server.Host.Relay.Totals.Delivered > 0);
        await server.Host.Relay.Audit.FlushAsync(Cancelled);
        await server.FlushLogAsync();
        var told = (await server.Run.JsonAsync("log", "mail", "--outcome", "delivered", "--to", "lisa@far.example"))[0];
        Assert.Equal("arc:seal._domainkey.example.org", told.GetProperty("signed_by").GetString());
        Assert.Contains("signed by arc:seal._domainkey.example.org", (await server.Run.PosternAsync("queue", "show", told.GetProperty("queue_id").GetString()!)).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("  arc: { seal: false }\n", true)]
    public async Task Without_a_key_or_where_it_is_turned_off_a_forward_goes_as_it_is(string arc, bool hasKey)
    {
        await StartAsync(arc);
        if (hasKey)
        {
            await server.Run.PosternAsync("dkim", "create", "example.org");
            await server.Run.PosternAsync("dkim", "activate", "example.org", "--unchecked");
        }

        await SendAsync();

        Assert.DoesNotContain("ARC-", (await sink.NextMessageAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_says_that_the_domain_which_is_to_seal_has_no_key()
    {
        await StartAsync("  arc: { domain: seal.example }\n");

        Assert.Contains(
            "delivery.arc.domain: seal.example has no active key, so nothing is sealed by it: postern dkim create seal.example, then activate",
            (await server.Run.PosternAsync("check")) is var check ? check.Output + check.Error : null,
            StringComparison.Ordinal);
    }

    private async Task StartAsync(string arc)
    {
        await File.WriteAllTextAsync(Path.Combine(server.Run.Root, "forwards"), "lisa@example.org lisa@far.example\n", Encoding.ASCII, Cancelled);
        await server.StartAsync(
            $"{LiveServer.Listeners}domains: [example.org]\ndelivery:\n  forwards: [forwards]\n{arc}  routes: [{{ to: '*', via: 'smtp://127.0.0.1:{sink.Port}' }}]\n");
    }

    private async Task SendAsync()
    {
        await using var session = await server.ConnectAsync();
        await session.SayAsync("MAIL FROM:<x@else.example>", "250");
        await session.SayAsync("RCPT TO:<lisa@example.org>", "250");
        await session.SayAsync("DATA", "354");
        await session.SayAsync("From: x@else.example\r\nSubject: hello\r\n\r\nBody\r\n.", "250");
    }
}
