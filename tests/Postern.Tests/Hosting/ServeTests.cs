using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Postern.Commands.Output;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>The executable itself, as a process.</summary>
public sealed class ServeTests
{
    private const string OnFreePorts = """
        server: { hostname: mail.example.org, data: data }
        listeners:
          - { name: submission, listen: ["127.0.0.1:0"] }
          - { name: plain, listen: ["127.0.0.1:0"], tls: none }
        """;

    [Fact]
    public async Task A_server_greets_answers_status_and_stops_cleanly_at_a_signal()
    {
        using var run = new CommandRun(OnFreePorts);
        using var server = Start(run);
        var announced = await ReadUntilAsync(server.StandardError, "HELD");

        Assert.Contains("made a self-signed certificate for mail.example.org", announced, StringComparison.Ordinal);
        var status = await run.JsonAsync("status");
        Assert.Equal(["submission", "plain"], status.GetProperty("listeners").EnumerateArray().Select(static l => l.GetProperty("name").GetString()));
        Assert.True(status.GetProperty("certificate").GetProperty("isSelfSigned").GetBoolean());
        foreach (var listener in status.GetProperty("listeners").EnumerateArray())
            Assert.Equal("220 mail.example.org ESMTP Postern", await GreetingAsync(IPEndPoint.Parse(listener.GetProperty("address").GetString()!)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(run.Data, "key.pem")));

        Assert.Equal(0, Signal(server, "TERM"));
        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Ok, server.ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("status")).ExitCode);
        Assert.False(File.Exists(Path.Combine(run.Data, "control.sock")));
        var events = (await run.JsonAsync("log", "server")).EnumerateArray().Select(static e => e.GetProperty("what").GetString());
        Assert.Equal(["spool_opened", "started", "stopping", "stopped"], events);
    }

    [Fact]
    public async Task The_made_certificate_stays_the_same_at_the_next_start()
    {
        using var run = new CommandRun(OnFreePorts);
        var certificate = Path.Combine(run.Data, "certificate.pem");
        using (var first = Start(run))
        {
            await ReadUntilAsync(first.StandardError, "HELD");
            Signal(first, "INT");
            await first.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var made = File.ReadAllText(certificate);
        using var second = Start(run);
        var announced = await ReadUntilAsync(second.StandardError, "HELD");
        Signal(second, "INT");
        await second.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.DoesNotContain("made a self-signed", announced, StringComparison.Ordinal);
        Assert.Equal(made, File.ReadAllText(certificate));
    }

    [Fact]
    public async Task A_port_in_use_names_the_listener_the_address_and_what_to_do()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        using var run = new CommandRun($"server: {{ data: data }}\nlisteners:\n  - {{ name: submission, listen: [\"{taken.LocalEndpoint}\"] }}\n");

        var serve = await run.PosternAsync("serve");

        Assert.Equal(ExitCode.Usage, serve.ExitCode);
        Assert.Contains($"listener 'submission' cannot listen on {taken.LocalEndpoint}: another program already listens there", serve.Error, StringComparison.Ordinal);
        Assert.Contains($"Free {taken.LocalEndpoint}, or give listener 'submission' another address in {run.ConfigFile}.", serve.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_names_the_first()
    {
        using var run = new CommandRun(OnFreePorts);
        using var server = Start(run);
        await ReadUntilAsync(server.StandardError, "HELD");

        var second = await run.PosternAsync("serve");

        Assert.Equal(ExitCode.No, second.ExitCode);
        Assert.Contains($"in use by process {server.Id}", second.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("status")).ExitCode);
        Signal(server, "TERM");
        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("tls: { certificate: none.pem, key: none.key }\n", "tls.certificate: ")]
    [InlineData("oauth: {}\n", "oauth: unknown key")]
    public async Task A_configuration_that_cannot_be_served_is_exit_code_2(string configuration, string expected)
    {
        using var run = new CommandRun($"server: {{ data: data }}\n{configuration}");

        var serve = await run.PosternAsync("serve");

        Assert.Equal(ExitCode.Usage, serve.ExitCode);
        Assert.Contains(expected, serve.Error, StringComparison.Ordinal);
    }

    private static Process Start(CommandRun run) => Process.Start(
        new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "postern"), ["serve", "--config", run.ConfigFile])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static int Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, process.Id.ToString()]);
        kill.WaitForExit();
        return kill.ExitCode;
    }

    private static async Task<string> ReadUntilAsync(StreamReader reader, string text)
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            lines.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
                return string.Join('\n', lines);
        }

        throw new InvalidOperationException($"'{text}' was not said: {string.Join('\n', lines)}");
    }

    private static async Task<string?> GreetingAsync(IPEndPoint endpoint)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadLineAsync(TestContext.Current.CancellationToken);
    }
}
