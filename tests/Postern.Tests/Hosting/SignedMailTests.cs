using MimeKit;
using MimeKit.Cryptography;
using Postern.Commands.Output;
using Postern.Testing;
using Postern.Testing.Sinks;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>From a session to the next hop, with keys that are made while the server runs.</summary>
public sealed class SignedMailTests : IAsyncDisposable
{
    private readonly LiveServer server = new();
    private readonly ScriptedSink sink = new();

    private CommandRun Run => server.Run;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task A_key_that_is_made_while_the_server_runs_signs_the_next_message_and_it_verifies_where_it_arrives()
    {
        await server.StartAsync(Routed());
        await SubmitAsync(LiveServer.User);
        Assert.DoesNotContain("DKIM-Signature", (await sink.NextMessageAsync()).Text, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync("dkim", "create", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync("dkim", "activate", "example.org", "--unchecked")).ExitCode);
        await SubmitAsync(LiveServer.User);

        var arrived = await MimeMessage.LoadAsync(new MemoryStream((await sink.NextMessageAsync()).Content), Cancelled);
        var signatures = arrived.Headers.Where(static h => h.Id == HeaderId.DkimSignature).ToList();
        Assert.Equal(2, signatures.Count);
        Assert.Same(signatures[0], arrived.Headers[0]);
        var keys = await Run.JsonAsync("dkim", "dns", "example.org");
        var verifier = new DkimVerifier(new PublishedKeys(
            keys.EnumerateArray().ToDictionary(static k => k.GetProperty("recordName").GetString()!, static k => k.GetProperty("recordText").GetString()!)));
        foreach (var signature in signatures)
            Assert.True(await verifier.VerifyAsync(arrived, signature, Cancelled));
    }

    [Fact]
    public async Task The_keys_that_signed_are_told_wherever_the_message_is_told_of_and_explain_names_those_that_would()
    {
        await server.StartAsync(Routed());
        string[] question = ["explain", "--client", "127.0.0.1", "--login", LiveServer.User, "--from", LiveServer.User, "--to", "bart@example.net"];
        Assert.Contains("not signed (DKIM)", (await Run.PosternAsync(question)).Output, StringComparison.Ordinal);
        await Run.PosternAsync("dkim", "create", "example.org");
        await Run.PosternAsync("dkim", "activate", "example.org", "--unchecked");
        var names = (await Run.JsonAsync("dkim", "dns", "example.org")).EnumerateArray().Select(static k => k.GetProperty("recordName").GetString()!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(names, (await Run.JsonAsync(question)).GetProperty("signing").GetProperty("keys").EnumerateArray().Select(static k => k.GetString()!).Order(StringComparer.Ordinal));

        await SubmitAsync(LiveServer.User);
        await sink.NextMessageAsync();
        await server.UntilAsync(() => server.Host.Relay.Totals.Delivered > 0);
        await server.Host.Relay.Audit.FlushAsync(Cancelled);
        var delivered = (await Run.JsonAsync("log", "mail", "--outcome", "delivered"))[0];
        var id = delivered.GetProperty("queue_id").GetString()!;

        Assert.Equal(names, delivered.GetProperty("signed_by").GetString()!.Split(' ').Order(StringComparer.Ordinal));
        foreach (var command in (string[][])[["log", "mail", "--id", id], ["queue", "show", id], ["explain", id]])
        {
            var told = (await Run.PosternAsync(command)).Output;
            Assert.All(names, name => Assert.Contains(name, told, StringComparison.Ordinal));
        }

        Assert.Contains("signed by ", (await Run.PosternAsync(question)).Output, StringComparison.Ordinal);
        Assert.Contains("not signed (DKIM)", (await Run.PosternAsync("explain", "--client", "127.0.0.1", "--from", "a@example.com", "--to", "b@example.net")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_may_not_send_as_the_author_gets_no_signature_of_the_author_also_where_Sender_is_left_alone()
    {
        await server.StartAsync(Routed() + "rules: { sender_field: keep }\n");
        await Run.PosternAsync("dkim", "create", "example.org");
        await Run.PosternAsync("dkim", "activate", "example.org", "--unchecked");

        await SubmitAsync("boss@example.org");

        Assert.DoesNotContain("DKIM-Signature", (await sink.NextMessageAsync()).Text, StringComparison.Ordinal);
        await SubmitAsync(LiveServer.User);
        Assert.StartsWith("DKIM-Signature", (await sink.NextMessageAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mail_that_must_be_signed_waits_for_a_key_and_the_queue_says_so()
    {
        await server.StartAsync(Routed() + "dkim: { required: [example.org] }\n");
        await SubmitAsync(LiveServer.User);
        await server.UntilAsync(() => server.Host.Relay.Totals.Deferred > 0);
        // The event comes first, then the state.
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var waiting = (await Run.JsonAsync("queue", "list")).GetProperty("items")[0];
        for (; waiting.GetProperty("attempts").GetInt32() == 0; waiting = (await Run.JsonAsync("queue", "list")).GetProperty("items")[0])
            late.Token.ThrowIfCancellationRequested();

        Assert.Contains("not sent unsigned: dkim.required names example.org", waiting.ToString(), StringComparison.Ordinal);
        await Run.PosternAsync("dkim", "create", "example.org");
        await Run.PosternAsync("dkim", "activate", "example.org", "--unchecked");
        await Run.PosternAsync("queue", "retry", waiting.GetProperty("id").GetString()!);
        Assert.StartsWith("DKIM-Signature", (await sink.NextMessageAsync()).Text, StringComparison.Ordinal);
    }

    private string Routed() => $"{LiveServer.Listeners}delivery: {{ routes: [{{ to: '*', via: 'smtp://127.0.0.1:{sink.Port}' }}] }}\n";

    private async Task SubmitAsync(string author)
    {
        await using var session = await server.ConnectAsync();
        await session.LogInAsync(LiveServer.User, LiveServer.Password);
        await session.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        await session.SayAsync("RCPT TO:<bart@example.net>", "250");
        await session.SayAsync("DATA", "354");
        await session.SayAsync($"From: {author}\r\nTo: bart@example.net\r\nSubject:  folded\r\n\tsubject \r\n\r\n..dots  and   spaces \r\n\r\n\r\n.", "250");
    }
}
