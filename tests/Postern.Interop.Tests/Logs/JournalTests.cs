using System.Net.Sockets;
using System.Text.Json;
using Postern.Interop.Tests.Server;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Audit.Onward;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Logs;

/// <summary>systemd-journald, which runs without an init too, keeps what Postern sends: also what no datagram holds.</summary>
public sealed class JournalTests : IDisposable
{
    private const string Program = "/lib/systemd/systemd-journald";

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-journal-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public async Task An_event_is_found_by_its_fields_and_a_large_one_is_whole()
    {
        Peer.Require("journalctl");
        await using var journal = await StartAsync();
        var reference = $"R{Guid.NewGuid():N}";
        var decision = new DecisionEvent(
            TimeProvider.System.GetUtcNow(),
            new EventOrigin("s1", "submission", "192.0.2.7") { User = "lisa@example.org" },
            reference,
            "recipient",
            DecisionOutcome.Refuse,
            "reject",
            "lisa@example.org",
            "bart@example.net")
        {
            Chain = [.. Enumerable.Range(0, 1_000).Select(static i => new RuleStep($"rule{i}", new string('x', 900), "pass", Remedy: null))],
        };
        await using (var log = new JsonLinesAuditLog(
            new AuditLogOptions { Directory = directory.FullName, Journal = new JournalTarget() }, TimeProvider.System))
        {
            log.Append(decision);
            log.Append(decision with { Chain = [], Stage = "sender" });
            await log.FlushAsync(Ct);
            await FindAsync(reference, count: 2);
        }

        var entries = await FindAsync(reference, count: 2);
        Assert.Equal(
            (await File.ReadAllLinesAsync(Assert.Single(Directory.GetFiles(directory.FullName, "policy-*.jsonl")), Ct)).Order(),
            entries.Select(static entry => entry.GetProperty("MESSAGE").GetString()!).Order());
        Assert.All(entries, static entry => Assert.Equal("lisa@example.org", entry.GetProperty("POSTERN_USER").GetString()));
        Assert.All(entries, static entry => Assert.Equal("4", entry.GetProperty("PRIORITY").GetString()));
    }

    /// <summary>Null where this machine has one already.</summary>
    private static async Task<RunningProgram?> StartAsync()
    {
        if (IsThere())
            return null;
        Assert.SkipUnless(File.Exists(Program), "systemd-journald is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "systemd-journald runs as root alone");
        var started = RunningProgram.Start([Program]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!IsThere() && !started.HasExited)
            await looks.WaitForNextTickAsync(patience.Token);
        if (!started.HasExited)
            return started;
        await started.DisposeAsync();
        Assert.Skip("systemd-journald does not run here");
        return null;
    }

    /// <summary>Its socket stays where it was killed.</summary>
    private static bool IsThere()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(JournalTarget.UsualSocket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<List<JsonElement>> FindAsync(string reference, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            var found = await RunningProgram.RunAsync(["journalctl", "--output", "json", "--all", $"POSTERN_REF={reference}"]);
            List<JsonElement> entries =
            [
                .. found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static line => line.StartsWith('{'))
                    .Select(static line => JsonDocument.Parse(line).RootElement),
            ];
            if (entries.Count >= count)
                return entries;
            await looks.WaitForNextTickAsync(patience.Token);
        }
    }
}
