using System.Text.Json;
using Postern.Commands.Output;

namespace Postern.Tests.Commands;

/// <summary>A stranger with the commands for operators and keys.</summary>
public sealed class OperatorCommandTests : IDisposable
{
    private readonly CommandRun run = new("server: { hostname: mail.example.org, data: data }\nweb: { listen: ['127.0.0.1:2580'] }\n");

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task An_invitation_is_one_document_with_the_code_this_once()
    {
        var invited = await run.JsonAsync("operator", "invite", "--role", "tenant-viewer", "--tenant", "Acme");
        var code = invited.GetProperty("code").GetString()!;
        Assert.Equal((true, "done", $"http://127.0.0.1:2580/setup#{code}"), (invited.GetProperty("ok").GetBoolean(), invited.GetProperty("outcome").GetString(), invited.GetProperty("link").GetString()));
        Assert.Equal(("tenant-viewer", "acme", JsonValueKind.Null), (invited.GetProperty("invitation").GetProperty("role").GetString(), invited.GetProperty("invitation").GetProperty("tenant").GetString(), invited.GetProperty("invitation").GetProperty("operator").ValueKind));

        var list = await run.JsonAsync("operator", "list");
        Assert.Equal((0, 1), (list.GetProperty("operators").GetArrayLength(), list.GetProperty("invitations").GetArrayLength()));
        var log = await run.PosternAsync("log", "admin");
        Assert.Contains("operator invite", log.Output, StringComparison.Ordinal);
        foreach (var secret in (string[])[code, code.Replace("-", "", StringComparison.Ordinal)])
            Assert.DoesNotContain(secret, list.ToString() + log.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_one_document_with_the_key_this_once()
    {
        var made = await run.JsonAsync("key", "add", "grafana", "--scope", "metrics.read", "--scope", "queue.*", "--from", "192.0.2.0/24");
        var key = made.GetProperty("key").GetString()!;
        var id = made.GetProperty("details").GetProperty("id").GetString()!;
        Assert.StartsWith($"pst_{id}_", key, StringComparison.Ordinal);

        var listed = Assert.Single((await run.JsonAsync("key", "list")).EnumerateArray());
        Assert.Equal(["queue.read", "queue.write", "metrics.read"], listed.GetProperty("scopes").EnumerateArray().Select(static one => one.GetString()));
        Assert.Equal((id, "grafana", "192.0.2.0/24", $"pst_{id}_"), (listed.GetProperty("id").GetString(), listed.GetProperty("label").GetString(), listed.GetProperty("networks")[0].GetString(), listed.GetProperty("prefix").GetString()));
        Assert.DoesNotContain(key, listed.ToString() + (await run.PosternAsync("log", "admin")).Output, StringComparison.Ordinal);

        // Somebody pastes the whole key.
        Assert.Equal((ExitCode.Ok, $"key {id} (grafana) removed; it is good for nothing from now on\n"), await ResultAsync("key", "remove", key));
        Assert.Equal(ExitCode.No, (await run.PosternAsync("key", "remove", "grafana")).ExitCode);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "there is no role 'ovner'; did you mean 'owner'?", "operator", "invite", "--role", "ovner")]
    [InlineData(ExitCode.Usage, "a tenant-viewer is of a tenant; say which: --tenant", "operator", "invite", "--role", "tenant-viewer")]
    [InlineData(ExitCode.No, "there is no operator 'lisa'", "operator", "reset", "lisa")]
    [InlineData(ExitCode.No, "there is no operator 'lisa'", "operator", "role", "lisa", "viewer")]
    [InlineData(ExitCode.No, "there is no operator 'lisa'", "operator", "disable", "lisa")]
    [InlineData(ExitCode.Usage, "there is no scope 'queue.raed'; did you mean 'queue.read'?", "key", "add", "x", "--scope", "queue.raed")]
    [InlineData(ExitCode.Usage, "Option '--scope' is required", "key", "add", "x")]
    [InlineData(ExitCode.Usage, "messages.send needs an account", "key", "add", "x", "--scope", "messages.send")]
    [InlineData(ExitCode.Usage, "'office' is not a network", "key", "add", "x", "--scope", "queue.read", "--from", "office")]
    [InlineData(ExitCode.No, "there is no key 'x'", "key", "remove", "x")]
    public async Task What_is_wrong_is_said(int exitCode, string problem, params string[] words)
    {
        var result = await run.PosternAsync(words);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(problem, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("http://127.0.0.1:2580", "listen: ['127.0.0.1:2580']")]
    [InlineData("http://[::1]", "listen: ['[::1]:80']")]
    [InlineData("https://mail.example.org", "listen: ['0.0.0.0:443'], tls: implicit")]
    [InlineData("https://console.example.org:8443", "listen: ['192.0.2.1:8443'], tls: implicit, hosts: [console.example.org]")]
    [InlineData("https://console.example.org", "listen: ['127.0.0.1:2580'], proxies: [127.0.0.1/32], hosts: [console.example.org]")]
    public async Task The_link_leads_to_where_the_console_is(string? address, string web)
    {
        using var other = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\nweb: {{ {web} }}\n");
        var result = await other.PosternAsync("operator", "invite");
        Assert.Equal(ExitCode.Ok, result.ExitCode);
        if (address is null)
            Assert.Contains("There is no console yet", result.Error, StringComparison.Ordinal);
        else
            Assert.Contains($"\nlink: {address}/setup#", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_there_is_nobody_the_list_says_what_to_do()
    {
        Assert.Equal((ExitCode.Ok, "there is no operator, and nobody can use the console; to let in the first: postern operator invite\n"), await ResultAsync("operator", "list"));
        Assert.Equal((ExitCode.Ok, "there is no key; to make one: postern key add LABEL --scope SCOPE\n"), await ResultAsync("key", "list"));
    }

    private async Task<(int ExitCode, string Output)> ResultAsync(params string[] words)
    {
        var result = await run.PosternAsync(words);
        return (result.ExitCode, result.Output);
    }
}
