using System.Globalization;
using Postern.Interop.Tests.Server;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Audit.Onward;

namespace Postern.Interop.Tests.Logs;

/// <summary>Debian's rsyslogd reads what Postern sends, over TCP and TLS, and after it was down.</summary>
public sealed class RsyslogTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-rsyslog-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Logs => Path.Join(directory.FullName, "logs");

    public void Dispose() => directory.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_part_of_a_message_is_where_it_looks_for_it_and_an_outage_loses_none(bool isTls)
    {
        await using var server = new RsyslogServer(directory.FullName, isTls);
        await server.StartAsync();
        var target = new SyslogTarget("127.0.0.1", server.Port, isTls) { Hostname = "mail.example.org" };
        if (isTls)
        {
            target = target with { Authorities = [] };
            target.Authorities!.ImportFromPemFile(server.AuthorityFile);
        }

        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Logs, Syslog = target }, TimeProvider.System);
        log.Append(Login("lisa@example.org"));
        // Where it did not listen yet, that stands there too.
        var first = (await server.WaitForAsync(static received => Users(received).Count > 0)).First(static parts => parts[4] == "login");
        var pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(["86", "mail.example.org", "postern", pid, "login"], first[..5]);
        var line = Assert.Single(await File.ReadAllLinesAsync(Assert.Single(Directory.GetFiles(Logs, "auth-*.jsonl")), Ct));
        Assert.Equal(line, first[5].TrimStart());

        await server.StopAsync();
        for (var i = 0; i < 500; i++)
            log.Append(Login($"user{i}@example.org"));
        await log.FlushAsync(Ct);
        await server.StartAsync();
        var all = await server.WaitForAsync(static received => Users(received).Count == 501);
        Assert.Equal(Enumerable.Range(0, 500).Select(static i => $"user{i}@example.org"), Users(all).Skip(1));
    }

    private static List<string> Users(string[][] received) =>
    [
        .. received.Where(static parts => parts.Length == 6)
            .Select(static parts => AuditEvents.Read(System.Text.Encoding.UTF8.GetBytes(parts[5].Trim())))
            .OfType<LoginEvent>()
            .Select(static login => login.Origin.User!)
            .Distinct(),
    ];

    private static LoginEvent Login(string user) => new(
        TimeProvider.System.GetUtcNow(), new EventOrigin("s1", "submission", "192.0.2.7") { User = user }, "PLAIN", AuthOutcome.Ok, "password");
}
