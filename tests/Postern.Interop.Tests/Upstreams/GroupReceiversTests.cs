using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Postern.Interop.Tests.Server;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Upstreams;

/// <summary>Receivers that real mail goes to take several messages at a time over one connection, each of them once.</summary>
public sealed class GroupReceiversTests
{
    private const int Messages = 300;

    [Fact]
    public async Task Postfix_takes_each_once()
    {
        PostfixMaster.Require();
        var directory = Directory.CreateTempSubdirectory("postern-receiver-");
        try
        {
            const string Main = """
                myhostname = receiver.test
                mynetworks = 127.0.0.0/8
                smtpd_relay_restrictions = permit_mynetworks, reject
                defer_transports = smtp

                """;
            await using var postfix = await PostfixMaster.ListenAsync(
                directory.FullName, Main, static port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port} inet n - n - - smtpd\n"));

            var sent = await SendAsync(postfix.Port);

            var queue = (await postfix.RunAsync("postqueue", "-j")).Text;
            AssertOnce(sent, queue, "\"");
            await postfix.LoggedAsync(" bdat=");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Exim_takes_each_once()
    {
        var exim = Peer.RequireUnpacked("exim4");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Exim starts only as root");
        var directory = Directory.CreateTempSubdirectory("postern-receiver-");
        try
        {
            foreach (var name in (string[])["spool", "log"])
                (await RunningProgram.RunAsync(["chown", "mail", directory.CreateSubdirectory(name).FullName])).AssertSucceeded();
            File.SetUnixFileMode(directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            var file = Path.Combine(directory.FullName, "exim.conf");
            await File.WriteAllTextAsync(file, EximFile(directory.FullName, port: 25));
            Assert.SkipUnless((await RunningProgram.RunAsync([exim, "-C", file, "-bV"])).ExitCode == 0, "Exim does not start: its user or a library is missing");
            var (process, port) = await ListeningProgram.StartAsync(async port =>
            {
                await File.WriteAllTextAsync(file, EximFile(directory.FullName, port));
                return [exim, "-C", file, "-bdf"];
            });
            await using (process)
            {
                var sent = await SendAsync(port);

                var queue = Directory.EnumerateFiles(Path.Combine(directory.FullName, "spool", "input"), "*-H").Select(File.ReadAllText);
                AssertOnce(sent, string.Concat(queue), "\n");
                // K: it came by chunks.
                Assert.Contains(" K S=", await File.ReadAllTextAsync(Path.Combine(directory.FullName, "log", "mainlog")), StringComparison.Ordinal);
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string EximFile(string directory, int port) => string.Create(CultureInfo.InvariantCulture, $"""
        exim_user = mail
        exim_group = mail
        spool_directory = {directory}/spool
        log_file_path = {directory}/log/%slog
        primary_hostname = receiver.test
        local_interfaces = 127.0.0.1
        daemon_smtp_ports = {port}
        queue_only = true
        rfc1413_hosts =
        host_lookup =
        smtp_accept_max = 100
        smtp_accept_max_per_connection = 0
        acl_smtp_rcpt = acl_rcpt
        acl_smtp_data = accept
        begin acl
        acl_rcpt:
          accept hosts = 127.0.0.1
        begin routers
        begin transports
        begin retry
        begin authenticators

        """);

    /// <summary>Sends them in groups where the receiver takes that; answers the recipients.</summary>
    private static async Task<string[]> SendAsync(int port)
    {
        var options = new DeliveryOptions
        {
            Hostname = Domain.Parse("sender.test"),
            Routes = Assert.IsType<RouteParse.Ok>(RouteTable.Parse([new Route("*", string.Create(CultureInfo.InvariantCulture, $"smtp://127.0.0.1:{port}?tls=none"))])).Table,
            ConnectionsPerDestination = 3,
            FarFrom = TimeSpan.Zero,
        };
        await using var spool = new MemorySpool();
        string[] recipients = [.. Enumerable.Range(0, Messages).Select(static i => $"m{i}@there.test")];
        foreach (var recipient in recipients)
            await AddAsync(spool, recipient);
        var log = new Outcomes(Messages);
        await using (var scheduler = new DeliveryScheduler(spool, new SmtpDelivery(options, TimeProvider.System), options, log, TimeProvider.System))
        {
            await scheduler.StartAsync(newest: null, CancellationToken.None);
            await log.Complete.WaitAsync(TimeSpan.FromSeconds(120));
        }

        Assert.All(log.Deliveries, static e => Assert.True(e is { Outcome: DeliveryOutcome.Delivered, Attempt: 1 }, $"{e.Recipient}: {e.Outcome} {e.Reply}"));
        Assert.Equal(recipients.Order(), log.Deliveries.Select(static e => e.Recipient).Order());
        Assert.Empty(log.Told.Where(static e => e.Event == "one_at_a_time").Select(static e => e.Detail));
        return recipients;
    }

    private static async Task AddAsync(MemorySpool spool, string recipient)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(Encoding.ASCII.GetBytes($"Subject: hello\r\nFrom: a@here.test\r\nTo: {recipient}\r\n\r\n.\r\nBody\r\n"), CancellationToken.None);
        await draft.CommitAsync(
            new Envelope
            {
                Id = QueueId.New(TimeProvider.System),
                ArrivedAt = now,
                Said = new(new ReversePath(Mailbox.Parse("a@here.test")), [Mailbox.Parse(recipient)]),
                Client = System.Net.IPAddress.Loopback,
                Listener = "test",
            },
            DeliveryState.Fresh(1, now),
            CancellationToken.None);
    }

    /// <param name="mark">What stands around a recipient in the queue.</param>
    private static void AssertOnce(string[] recipients, string queue, string mark)
    {
        foreach (var recipient in recipients)
            Assert.True(queue.Split(mark + recipient + mark).Length == 2, $"{recipient} is not there once");
    }

    private sealed class Outcomes(int count) : IAuditLog
    {
        private readonly ConcurrentQueue<AuditEvent> events = new();
        private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int seen;

        public Task Complete => complete.Task;

        public IReadOnlyList<DeliveryEvent> Deliveries => [.. events.OfType<DeliveryEvent>()];

        public IReadOnlyList<ServerEvent> Told => [.. events.OfType<ServerEvent>()];

        public long Dropped => 0;

        public void Append(AuditEvent audit)
        {
            events.Enqueue(audit);
            if (audit is DeliveryEvent && Interlocked.Increment(ref seen) == count)
                complete.TrySetResult();
        }

        public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
