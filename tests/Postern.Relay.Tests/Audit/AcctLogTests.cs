using System.IO.Compression;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Accounting;
using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Relay.Tests.Audit;

/// <summary>The accounting log: its lines as docs/acctlog.md has them, and what becomes of files that are full or old.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class AcctLogTests
{
    private const string Lisa = "lisa@example.org";

    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_764_520_500);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IEnumerable<AuditEvent> Documented =>
    [
        Login(0, "192.0.2.7", 40112, AuthOutcome.Ok),
        Login(1, "2001:db8::7", 40113, AuthOutcome.Failed),
        Login(2, "192.0.2.7", 40114, AuthOutcome.Unavailable),
        Decision(3, Lisa, "permit_authenticated", Lisa, "bart@example.net", reply: null),
        Decision(4, Lisa, "reject_sender_login_mismatch", "boss@example.org", recipient: null, "553 5.7.1 no"),
        Decision(5, user: null, "reject_over_limit", string.Empty, recipient: null, "450 4.7.1 try again"),
        new AdminEvent(Start.AddSeconds(6), "root", "account add", Lisa) { Via = AdminDoor.Cli },
    ];

    [Fact]
    public async Task The_page_has_the_lines_as_they_are_written()
    {
        var page = await File.ReadAllTextAsync(SourceTree.PathOf("docs/acctlog.md"), Ct);
        var lines = string.Join('\n', Documented.Select(AcctLine.Of));
        Assert.Contains($"```\n{lines}\n```", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a@b\\c@d", "a\\@b\\\\c\\@d")]
    [InlineData("two\r\nlines\0", "two\\u000D\\u000Alines\\u0000")]
    public void A_field_holds_no_separator_and_no_line_end(string user, string written)
    {
        var line = AcctLine.Of(Login(0, "192.0.2.7", 1, AuthOutcome.Failed, user))!;
        Assert.Equal($"1764520500@N@submission@192.0.2.7:1@{written}@0", line);
    }

    [Fact]
    public void Other_events_have_no_line() => Assert.Null(AcctLine.Of(new ServerEvent(Start, "started", "now")));

    [Fact]
    public async Task It_stands_beside_the_files_and_is_its_owners_alone()
    {
        using var directory = new AuditDirectory();
        await WriteAsync(directory.Path, new AcctLogOptions(), new ManualClock(), Documented);
        Assert.Equal(7, (await File.ReadAllLinesAsync(Path.Combine(directory.Path, "acctlog"), Ct)).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(directory.Path, "acctlog")));
        Assert.Single(Directory.GetFiles(directory.Path, "auth-*.jsonl"));
        Assert.Single(Directory.GetFiles(directory.Path, "acctlog*"));
    }

    [Fact]
    public async Task Without_it_there_is_no_such_file()
    {
        using var directory = new AuditDirectory();
        await WriteAsync(directory.Path, accounting: null, new ManualClock(), Documented);
        Assert.Empty(Directory.GetFiles(directory.Path, "acctlog*"));
    }

    [Fact]
    public async Task A_full_file_is_put_aside_and_all_but_the_newest_are_compressed_without_a_line_lost()
    {
        using var directory = new AuditDirectory();
        for (var round = 0; round < 5; round++)
            await WriteAsync(directory.Path, new AcctLogOptions { RotateOctets = 100 }, new ManualClock(), Documented);
        // What was put aside last is compressed by whoever opens it next.
        Assert.Equal(5 * 7, Lines(directory.Path).Count);
        Assert.Equal(4, Directory.GetFiles(directory.Path, "acctlog-*").Length);
        Assert.Equal(3, Directory.GetFiles(directory.Path, "acctlog-*.gz").Length);
    }

    [Fact]
    public async Task An_old_file_is_put_aside_and_what_is_too_old_is_deleted()
    {
        using var directory = new AuditDirectory();
        var clock = new ManualClock();
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "acctlog-20200101T000000Z.gz"), "old", Ct);
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "acctlog-20200102T000000Z.gz.new"), "half", Ct);
        await WriteAsync(directory.Path, new AcctLogOptions { RotateEvery = TimeSpan.FromHours(1) }, clock, Documented);
        File.SetLastWriteTimeUtc(Path.Combine(directory.Path, "acctlog"), (clock.GetUtcNow() - TimeSpan.FromHours(2)).UtcDateTime);
        await WriteAsync(directory.Path, new AcctLogOptions { RotateEvery = TimeSpan.FromHours(1) }, clock, Documented);
        var aside = Assert.Single(Directory.GetFiles(directory.Path, "acctlog-*"));
        Assert.DoesNotContain("2020", aside, StringComparison.Ordinal);
        Assert.Equal(14, Lines(directory.Path).Count);
    }

    [Fact]
    public async Task A_command_beside_the_server_adds_lines_and_puts_nothing_aside()
    {
        using var directory = new AuditDirectory();
        for (var i = 0; i < 3; i++)
            await WriteAsync(directory.Path, new AcctLogOptions { RotateOctets = 100, Rotates = false }, new ManualClock(), Documented);
        Assert.Equal(21, (await File.ReadAllLinesAsync(Assert.Single(Directory.GetFiles(directory.Path, "acctlog*")), Ct)).Length);
    }

    private static async Task WriteAsync(string directory, AcctLogOptions? accounting, TimeProvider clock, IEnumerable<AuditEvent> events)
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory, AcctLog = accounting }, clock);
        foreach (var audit in events)
            log.Append(audit);
        await log.FlushAsync(Ct);
    }

    private static List<string> Lines(string directory)
    {
        var lines = new List<string>();
        foreach (var path in Directory.GetFiles(directory, "acctlog*"))
        {
            using var file = File.OpenRead(path);
            using var reader = new StreamReader(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file);
            while (reader.ReadLine() is { } line)
                lines.Add(line);
        }

        return lines;
    }

    private static LoginEvent Login(int second, string client, int port, AuthOutcome outcome, string user = Lisa) =>
        new(Start.AddSeconds(second), new("s1", "submission", client) { User = user, Port = port }, "PLAIN", outcome, "why");

    private static DecisionEvent Decision(int second, string? user, string rule, string sender, string? recipient, string? reply) => new(
        Start.AddSeconds(second),
        new("s1", "submission", "192.0.2.7") { User = user, Port = 40112 },
        "K7M3Q9",
        recipient is null ? "sender" : "recipient",
        reply is null ? DecisionOutcome.Permit : DecisionOutcome.Refuse,
        rule,
        sender,
        recipient) { Reply = reply };
}
