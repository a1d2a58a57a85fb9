using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Postern.Configuration;
using Postern.Hosting;
using Postern.Hosting.Live;
using Postern.Testing;
using Postern.Testing.Sinks;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>
/// Clients that send without a pause while the configuration changes again and again: listeners come and go, limits, rules, secrets and routes change. With
/// POSTERN_SOAK=1 a thousand times, and what the server holds afterwards is compared with what it held before.
/// </summary>
public sealed class ReloadUnderLoadTests
{
    private const string User = "lisa@example.org";
    private const string Password = "correct horse";
    private const int Clients = 6;

    private static readonly bool IsSoak = Environment.GetEnvironmentVariable("POSTERN_SOAK") is { Length: > 0 };
    private static readonly int Reloads = IsSoak ? 1_000 : 24;

    [Fact]
    public async Task Nothing_is_lost_dropped_or_leaked()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var one = new ScriptedSink();
        await using var other = new ScriptedSink();
        using var run = new CommandRun(Text(0, one, other));
        await File.WriteAllTextAsync(Path.Combine(run.Root, "secret"), "0\n", ct);
        await run.PosternAsync("account", "add", User);
        await run.WithInputAsync(Password, "credential", "add", User, "--password-stdin");
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Load(run.ConfigFile)).Configuration;
        var compiled = Assert.IsType<CompileOutcome.Ready>(await Compilation.ReadAsync(configuration, CompileFor.Serving, TimeProvider.System)).Compiled;
        await using var host = await ServerHost.StartAsync(compiled, run.ConfigFile, events: null, static _ => { }, TimeProvider.System, ct);
        var endpoint = host.Relay.Endpoints.Single(static e => e.Listener.Name == "submission").Endpoint;

        var acknowledged = new ConcurrentDictionary<string, byte>();
        var delivered = new ConcurrentDictionary<string, byte>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var reading = new[] { ReadAsync(one, delivered, over.Token), ReadAsync(other, delivered, over.Token) };
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var clients = Enumerable.Range(0, Clients).Select(i => Task.Run(() => SendAsync(endpoint, i, acknowledged, enough.Token), ct)).ToList();
        var (handlesBefore, memoryBefore) = (0, 0L);
        for (var i = 1; i <= Reloads; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(run.Root, "secret"), string.Create(CultureInfo.InvariantCulture, $"{i / 3}\n"), ct);
            await File.WriteAllTextAsync(run.ConfigFile, Text(i, one, other), ct);
            var report = await host.Live.ReloadAsync(ct);
            Assert.Empty(report.Errors);
            Assert.NotEqual(report.Before, report.After);
            Assert.Contains(report.Kept, static kept => kept.StartsWith("submission ", StringComparison.Ordinal));
            if (clients.Find(static c => c.IsFaulted) is { } failed)
                await failed;
            if (i == Reloads / 4)
                (handlesBefore, memoryBefore) = (Handles(), Memory(one, other));
        }

        await enough.CancelAsync();
        await Task.WhenAll(clients);
        await UntilAsync(() => host.Relay.Spool.Count == 0, ct);
        await UntilAsync(() => delivered.Count >= acknowledged.Count, ct);
        await over.CancelAsync();
        await Task.WhenAll(reading);
        Assert.Subset(delivered.Keys.ToHashSet(StringComparer.Ordinal), acknowledged.Keys.ToHashSet(StringComparer.Ordinal));
        Assert.Equal(0, host.Relay.Spool.Count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{Reloads} reloads, {acknowledged.Count} messages");
        if (!IsSoak)
            return;
        await UntilAsync(() => host.Relay.RetiredSnapshots == 0, ct);
        Assert.Equal(0, host.Relay.RetiredSnapshots);
        var (handles, memory) = (Handles(), Memory(one, other));
        TestContext.Current.TestOutputHelper?.WriteLine($"handles {handlesBefore} -> {handles}, heap {memoryBefore:N0} -> {memory:N0} octets");
        Assert.InRange(handles, 0, handlesBefore + 20);
        Assert.InRange(memory, 0, memoryBefore + (16 << 20));
    }

    private static string Text(int number, ScriptedSink one, ScriptedSink other) => string.Create(CultureInfo.InvariantCulture, $$"""
        server: { hostname: mail.example.org, data: data }
        listeners:
          - { name: submission, listen: ['127.0.0.1:0'], tls: starttls, auth: always }
        {{(number % 2 == 0 ? "  - { name: second, listen: ['127.0.0.1:0'], tls: none }" : string.Empty)}}
        limits: { recipients: {{100 + number}}, connections_per_address: {{500 + number}} }
        networks: [192.0.2.{{number % 250}}]
        logs: { keep: {{30 + (number % 7)}} }
        delivery:
          retry: { first: {{60 + (number % 5)}}s }
          routes:
            - { to: never.example, via: "smtps://127.0.0.1:2626", login: { user: lisa, password: 'file:secret' } }
            - { to: '*', via: 'smtp://127.0.0.1:{{(number % 4 < 2 ? one : other).Port}}' }

        """);

    /// <summary>Several messages a connection; each that was answered 250 is written down.</summary>
    private static async Task SendAsync(IPEndPoint endpoint, int client, ConcurrentDictionary<string, byte> acknowledged, CancellationToken enough)
    {
        for (var number = 0; !enough.IsCancellationRequested;)
        {
            await using var session = await SmtpDialogue.GreetAsync(endpoint);
            if (number % 2 == 0)
                await session.StartTlsAsync();
            await session.LogInAsync(User, Password);
            for (var i = 0; i < 5; i++, number++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{client}-{number}");
                var reply = await session.SendAsync(User, "x@elsewhere.example", $"X-Number: {name}\r\n\r\nhello\r\n");
                Assert.StartsWith("250", reply, StringComparison.Ordinal);
                acknowledged.TryAdd(name, 0);
            }

            await session.SayAsync("QUIT", "221");
        }
    }

    /// <summary>Two minutes at most; what is missing then, the assertions behind it say.</summary>
    private static async Task UntilAsync(Func<bool> isSo, CancellationToken ct)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !isSo() && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(2);)
            await Task.Delay(TimeSpan.FromMilliseconds(20), ct);
    }

    private static async Task ReadAsync(ScriptedSink sink, ConcurrentDictionary<string, byte> delivered, CancellationToken over)
    {
        try
        {
            await foreach (var message in sink.MessagesAsync(over))
                delivered.TryAdd(message.Text.Split("X-Number: ")[1].Split('\r')[0], 0);
        }
        catch (OperationCanceledException)
        {
            // All have come.
        }
    }

    private static long Memory(ScriptedSink one, ScriptedSink other)
    {
        one.Forget();
        other.Forget();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static int Handles() => OperatingSystem.IsLinux() ? Directory.GetFiles("/proc/self/fd").Length : 0;
}
