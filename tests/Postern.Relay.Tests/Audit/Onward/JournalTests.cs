using System.Net.Sockets;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Audit.Onward;

namespace Postern.Relay.Tests.Audit.Onward;

/// <summary>The lines of the log as the journal gets them: fields of a datagram.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class JournalTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly Socket journal = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string SocketPath => directory.FileOf("socket");

    public void Dispose()
    {
        journal.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task An_event_has_its_line_and_what_it_can_be_found_by()
    {
        journal.Bind(new UnixDomainSocketEndPoint(SocketPath));
        await using var log = Open();
        log.Append(AuditDirectory.Decision(AuditDirectory.Noon, "K7M3Q9"));
        var fields = (await ReceiveAsync()).Split('\n');
        var line = Assert.Single(await File.ReadAllLinesAsync(directory.FileOf("policy-2026-11-20.jsonl"), Ct));
        Assert.Equal($"MESSAGE={line}", fields[0]);
        Assert.Equal(
            ["PRIORITY=6", "SYSLOG_FACILITY=2", "SYSLOG_IDENTIFIER=postern", "POSTERN_EVENT=decision"], fields[1..5]);
        Assert.Contains("POSTERN_REF=K7M3Q9", fields);
        Assert.Contains("POSTERN_RULE=permit_authenticated", fields);
        Assert.Contains("POSTERN_USER=alice", fields);
    }

    [Fact]
    public async Task A_value_with_a_line_end_in_it_makes_no_field_of_its_own()
    {
        journal.Bind(new UnixDomainSocketEndPoint(SocketPath));
        await using var log = Open();
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "eve\nPRIORITY=0"));
        Assert.Contains("POSTERN_USER\n\u000E\0\0\0\0\0\0\0eve\nPRIORITY=0\n", await ReceiveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_datagram_holds_goes_as_a_descriptor_beside_an_empty_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "files in memory are Linux's");
        journal.Bind(new UnixDomainSocketEndPoint(SocketPath));
        await using var log = Open();
        // More recipients than are named fill no line; many rules do.
        log.Append(AuditDirectory.Decision(AuditDirectory.Noon) with
        {
            Chain = [.. Enumerable.Range(0, 1_000).Select(static i => new RuleStep($"rule{i}", new string('x', 900), "pass", Remedy: null))],
        });
        Assert.Empty(await ReceiveAsync());
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        Assert.StartsWith("MESSAGE={", await ReceiveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_that_comes_later_gets_what_came_before_it()
    {
        await using var log = Open();
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, user: "early"));
        await log.FlushAsync(Ct);
        journal.Bind(new UnixDomainSocketEndPoint(SocketPath));
        Assert.Contains("POSTERN_USER=early", await ReceiveAsync(), StringComparison.Ordinal);
    }

    private JsonLinesAuditLog Open() => new(
        new AuditLogOptions
        {
            Directory = directory.Path,
            KeepDays = 100_000,
            Journal = new JournalTarget(SocketPath),
            Forwarding = new ForwardTimes { FirstPause = TimeSpan.FromMilliseconds(5), LongestPause = TimeSpan.FromMilliseconds(5) },
        },
        TimeProvider.System);

    private async Task<string> ReceiveAsync()
    {
        var octets = new byte[1 << 20];
        return Encoding.UTF8.GetString(octets, 0, await journal.ReceiveAsync(octets, Ct));
    }
}
