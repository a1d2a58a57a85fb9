using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>The kernel's errors, put in by strace(1) at the calls on the spool alone: what was acknowledged is there afterwards, and what was refused is not.</summary>
[Collection(nameof(ProcessTests))]
public sealed class FaultsOfTheDiskTests
{
    [Theory]
    [InlineData("pwrite64,pwritev", "ENOSPC", "452 4.3.1")]
    [InlineData("pwrite64,pwritev", "EIO", "451 4.3.0")]
    [InlineData("fdatasync", "EIO", "451 4.3.0")]
    [InlineData("fdatasync", "ENOSPC", "451 4.3.0")]
    public async Task A_write_or_sync_that_fails_acknowledges_nothing_and_loses_nothing(string calls, string error, string answer)
    {
        await Tracer.SkipUnlessAvailableAsync();
        using var home = await ProcessTests.HomeAsync();
        string kept;
        // The first segment: its header, then the first message.
        await using (var server = await home.ServeAsync(Inject(home, calls, error, when: "3+")))
        {
            await using var dialogue = await LogInAsync(server);
            kept = await SendAsync(dialogue, "kept");
            Assert.StartsWith("250 2.0.0 Queued as ", kept, StringComparison.Ordinal);

            var refused = await SendAsync(dialogue, "refused");

            Assert.StartsWith(answer, refused, StringComparison.Ordinal);
            var queue = (await server.StatusAsync(ProcessTests.Stop)).GetProperty("queue");
            Assert.NotEqual("writable", queue.GetProperty("condition").GetString());
            Assert.NotEmpty(queue.GetProperty("reason").GetString()!);
            await server.StopAsync();
        }

        await AssertHoldsAsync(home, kept);
    }

    [Fact]
    public async Task A_segment_that_cannot_be_made_for_want_of_files_is_made_later()
    {
        await Tracer.SkipUnlessAvailableAsync();
        using var home = await ProcessTests.HomeAsync();
        var accepted = new List<string>();
        await using (var server = await home.ServeAsync(Inject(home, "openat", "EMFILE", when: "1..3")))
        {
            await using var dialogue = await LogInAsync(server);
            for (var i = 0; i < 20 && accepted.Count < 2; i++)
            {
                var reply = await SendAsync(dialogue, $"m{i}");
                Assert.Matches("^(250|451|452) ", reply);
                if (reply.StartsWith("250", StringComparison.Ordinal))
                    accepted.Add(reply);
            }

            Assert.Equal(2, accepted.Count);
            await server.StopAsync();
        }

        await AssertHoldsAsync(home, [.. accepted]);
    }

    /// <summary>A start must not take what it cannot read for an empty spool.</summary>
    [Theory]
    [InlineData("pread64", "EIO", "2")]
    [InlineData("openat", "EACCES", "1+")]
    public async Task A_spool_that_cannot_be_read_is_not_opened_and_not_changed(string call, string error, string when)
    {
        await Tracer.SkipUnlessAvailableAsync();
        using var home = await ProcessTests.HomeAsync();
        string kept;
        await using (var server = await home.ServeAsync())
        {
            await using var dialogue = await LogInAsync(server);
            kept = await SendAsync(dialogue, "kept");
            await server.StopAsync();
        }

        var before = await FilesAsync(home);
        var start = await home.RunByAsync(Inject(home, call, error, when), "serve");

        Assert.Equal(1, start.ExitCode);
        Assert.Contains("was not opened, and nothing in it was changed", start.Output + start.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", start.Error, StringComparison.Ordinal);
        Assert.Equal(before, await FilesAsync(home));
        await AssertHoldsAsync(home, kept);
    }

    [Fact]
    public async Task Damage_that_a_start_finds_is_told_at_the_terminal_and_by_status()
    {
        using var home = await ProcessTests.HomeAsync();
        await using (var server = await home.ServeAsync())
        {
            await using var dialogue = await LogInAsync(server);
            Assert.StartsWith("250", await SendAsync(dialogue, "lost"), StringComparison.Ordinal);
            await server.StopAsync();
        }

        var segment = Directory.GetFiles(home.Spool, "*.segment").Single();
        var octets = await File.ReadAllBytesAsync(segment);
        octets.AsSpan(octets.AsSpan().IndexOf("lost@example.net"u8), 4).Fill((byte)'#');
        await File.WriteAllBytesAsync(segment, octets);

        await using var again = await home.ServeAsync();
        var status = await home.RunAsync("status");

        Assert.Contains($"warning: {segment} at ", string.Join('\n', again.Error.Lines), StringComparison.Ordinal);
        Assert.Contains("spool damage", status.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await again.StatusAsync(ProcessTests.Stop)).GetProperty("queue").GetProperty("damageCount").GetInt32());
    }

    private static async Task<List<(string Name, string Content)>> FilesAsync(PosternHome home)
    {
        var files = new List<(string, string)>();
        foreach (var path in Directory.GetFiles(home.Spool, "*.segment").Order(StringComparer.Ordinal))
            files.Add((path, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(path)))));
        return files;
    }

    /// <summary>Only calls on the first segments count and fail.</summary>
    private static IReadOnlyList<string> Inject(PosternHome home, string calls, string error, string when) =>
    [
        "strace", "-f", "-o", "/dev/null", "-P", Path.Combine(home.Spool, "0000000000000001.segment"), "-P", Path.Combine(home.Spool, "0000000000000002.segment"),
        "-e", $"trace={calls}", "-e", $"inject={calls}:error={error}:when={when}",
    ];

    private static async Task<SmtpDialogue> LogInAsync(PosternProcess server)
    {
        var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        return dialogue;
    }

    private static async Task<string> SendAsync(SmtpDialogue dialogue, string to)
    {
        await dialogue.SayAsync($"MAIL FROM:<{PosternHome.User}>", "250");
        await dialogue.SayAsync($"RCPT TO:<{to}@example.net>", "250");
        var reply = await dialogue.AskAsync("DATA");
        if (!reply.StartsWith("354", StringComparison.Ordinal))
        {
            await dialogue.SayAsync("RSET", "250");
            return reply;
        }

        await dialogue.WriteAsync("Subject: x\r\n\r\nx\r\n");
        return await dialogue.AskAsync(".");
    }

    private static async Task AssertHoldsAsync(PosternHome home, params string[] accepted)
    {
        await using var again = await home.ServeAsync();
        var items = (await home.JsonAsync("queue", "list")).GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("id").GetString()!).ToHashSet();
        Assert.Equal(accepted.Select(static reply => reply.Split(' ')[^1]).ToHashSet(), items);
    }
}
