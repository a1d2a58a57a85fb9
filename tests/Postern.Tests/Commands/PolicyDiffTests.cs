using Postern.Commands.Output;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Tests.Commands;

/// <summary><c>postern policy diff</c>: decisions of the log under a changed configuration.</summary>
public sealed class PolicyDiffTests : IDisposable
{
    private const string Present = "server: { hostname: mail.example.org, data: data }\ndomains: [example.org]\nnetworks: [10.0.0.0/8]\n";

    private readonly CommandRun run = new(Present);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task The_same_configuration_decides_the_same()
    {
        await WriteAsync(Decision("AAAAAA", "10.1.2.3", "bart@example.net", reply: null), Decision("BBBBBB", "192.0.2.7", "bart@example.net", "530 5.7.0 no"));
        var same = await run.PosternAsync("policy", "diff", run.ConfigFile);
        Assert.Equal((ExitCode.Ok, string.Empty), (same.ExitCode, same.Error));
        Assert.Contains("2 decisions since", same.Output, StringComparison.Ordinal);
        Assert.EndsWith("nothing would be decided otherwise\n", same.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_differ_is_grouped_and_counted_with_the_repeats_and_an_example()
    {
        var now = TimeProvider.System.GetUtcNow();
        await WriteAsync(
            Decision("AAAAAA", "10.1.2.3", "bart@example.net", reply: null, age: TimeSpan.FromDays(30)),
            Decision("BBBBBB", "10.1.2.3", "bart@example.net", reply: null, age: TimeSpan.FromHours(3)),
            Decision("CCCCCC", "10.1.2.4", "ned@example.net", reply: null, age: TimeSpan.FromHours(2)),
            new CoalescedEvent(now.AddHours(-1), AuditKind.Policy, "recipient", 40, now.AddHours(-2)) { Ref = "CCCCCC" },
            Decision("DDDDDD", "10.1.2.3", "lisa@example.org", reply: null),
            Decision("EEEEEE", "203.0.113.9", "lisa@example.org", reply: null));
        var changed = await ConfigureAsync("changed.yaml", Present.Replace("10.0.0.0/8", "10.2.0.0/16", StringComparison.Ordinal) + "rules: { client: [reject_clients 203.0.113.0/24] }\n");

        var diff = await run.PosternAsync("policy", "diff", changed, "--since", "7d");
        var json = await run.JsonAsync("policy", "diff", run.ConfigFile, changed);

        Assert.Equal((ExitCode.No, string.Empty), (diff.ExitCode, diff.Error));
        Assert.Matches("42 +permit by permit_networks +refuse 530 by reject_unauth_destination +CCCCCC +10.1.2.4, a@example.com to ned@example.net", diff.Output);
        Assert.Matches("1 +permit by reject_unauth_destination +refuse 554 by reject_clients +EEEEEE", diff.Output);
        Assert.DoesNotContain("DDDDDD", diff.Output, StringComparison.Ordinal);
        Assert.Equal((44, 44, 2), (json.GetProperty("decisions").GetInt32(), json.GetProperty("replayed").GetInt32(), json.GetProperty("changes").GetArrayLength()));
        Assert.NotEqual(json.GetProperty("old").GetProperty("id").GetString(), json.GetProperty("new").GetProperty("id").GetString());
    }

    [Fact]
    public async Task What_cannot_be_decided_again_is_counted_with_the_reason_and_is_no_difference()
    {
        await WriteAsync(
            Decision("AAAAAA", "192.0.2.7", "lisa@example.org", reply: null),
            Decision("BBBBBB", "192.0.2.7", "lisa@example.org", reply: null) with { Origin = new("s", "gone", "192.0.2.7") });
        var changed = await ConfigureAsync("changed.yaml", Present + "rules: { sender: [reject_unknown_sender_domain] }\n");

        var diff = await run.PosternAsync("policy", "diff", changed);

        Assert.Equal((ExitCode.Ok, string.Empty), (diff.ExitCode, diff.Error));
        Assert.Contains("2 decisions since", diff.Output, StringComparison.Ordinal);
        Assert.Contains("nothing could be compared", diff.Output, StringComparison.Ordinal);
        Assert.Matches("1 +reject_unknown_sender_domain: what DNS said then is not in the log +AAAAAA", diff.Output);
        Assert.Matches("1 +there is no listener 'gone'.* BBBBBB", diff.Output);
    }

    [Fact]
    public async Task A_file_with_a_mistake_is_told_with_its_place()
    {
        var changed = await ConfigureAsync("changed.yaml", "rules: { sender: [reject_all] }\n");
        var diff = await run.PosternAsync("policy", "diff", changed);
        Assert.Equal((ExitCode.Usage, string.Empty), (diff.ExitCode, diff.Output));
        Assert.Contains("changed.yaml:1:19: rules.sender[0]", diff.Error, StringComparison.Ordinal);
    }

    private async Task<string> ConfigureAsync(string name, string text)
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(run.Root, "elsewhere")).FullName, name);
        await File.WriteAllTextAsync(file, text, Ct);
        return file;
    }

    private async Task WriteAsync(params AuditEvent[] events)
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Path.Combine(run.Data, "logs") }, TimeProvider.System);
        foreach (var audit in events)
            log.Append(audit);
        await log.FlushAsync(Ct);
    }

    private static DecisionEvent Decision(string reference, string client, string to, string? reply, TimeSpan age = default) => new(
        TimeProvider.System.GetUtcNow() - age,
        new("s1", "submission", client),
        reference,
        "recipient",
        reply is null ? DecisionOutcome.Permit : DecisionOutcome.Refuse,
        "permit_networks",
        "a@example.com",
        to) { Reply = reply };
}
