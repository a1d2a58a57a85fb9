using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Testing;
using Postern.Testing.Sinks;
using Postern.Tests.Commands;

namespace Postern.Tests.Examples;

/// <summary>A server in this process by a configuration of docs/examples: its folders, its listeners and its next hop are the test's, and all else is as it stands.</summary>
internal sealed partial class ExampleServer : IAsyncDisposable
{
    private ServerHost? host;

    /// <param name="changes">What else is another one here, such as the name of a database server.</param>
    public ExampleServer(string example, params (string From, string To)[] changes)
    {
        var source = SourceTree.PathOf($"docs/examples/{example}");
        var text = File.ReadAllText(Path.Combine(source, "postern.yaml"));
        Run = new CommandRun();
        foreach (var file in Directory.EnumerateFiles(source).Where(static file => !file.EndsWith(".yaml", StringComparison.Ordinal)))
        {
            var copy = Path.Combine(Run.Root, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        text = text.Replace("/etc/postern", Run.Root, StringComparison.Ordinal)
            .Replace("/var/lib/postern", Run.Data, StringComparison.Ordinal)
            .Replace("relay.example.net:25", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Sink.Port}"), StringComparison.Ordinal)
            .Replace("192.0.2.10", "127.0.0.1", StringComparison.Ordinal);
        foreach (var (from, to) in changes)
            text = text.Contains(from, StringComparison.Ordinal) ? text.Replace(from, to, StringComparison.Ordinal) : throw new ArgumentException($"{example} has no {from}", nameof(changes));
        File.WriteAllText(Run.ConfigFile, Listen.Replace(text, "listen: 127.0.0.1:0"));
    }

    public CommandRun Run { get; }

    /// <summary>The next hop.</summary>
    public ScriptedSink Sink { get; } = new();

    public IPEndPoint Endpoint => host!.Relay.Endpoints[0].Endpoint;

    public IPEndPoint Of(string listener) => host!.Relay.Endpoints.Single(e => e.Listener.Name == listener).Endpoint;

    /// <summary>What has been told of by now is in the log, for a command to read.</summary>
    public ValueTask FlushAsync() => host!.Relay.Audit.FlushAsync(Ct);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>`postern check` accepts it, and the server starts.</summary>
    public async Task StartAsync()
    {
        var check = await Run.PosternAsync("check");
        Assert.True(check.ExitCode == ExitCode.Ok, check.Error);
        Assert.Null(DataDirectory.Prepare(Run.Data));
        var configuration = Assert.IsType<ConfigurationOutcome.Valid>(ConfigurationFile.Load(Run.ConfigFile)).Configuration;
        var compiled = Assert.IsType<CompileOutcome.Ready>(await Compilation.ReadAsync(configuration, CompileFor.Serving, TimeProvider.System)).Compiled;
        host = await ServerHost.StartAsync(compiled, Run.ConfigFile, events: null, static _ => { }, TimeProvider.System, Ct);
    }

    /// <summary>What the log says of logins, right and wrong.</summary>
    public async Task<IReadOnlyList<JsonElement>> LoginsAsync()
    {
        await host!.Relay.Audit.FlushAsync(Ct);
        return [.. (await Run.JsonAsync("log", "auth")).EnumerateArray()];
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
            await host.DisposeAsync();
        await Sink.DisposeAsync();
        Run.Dispose();
    }

    [GeneratedRegex(@"listen: [^\s,]+", RegexOptions.NonBacktracking)]
    private static partial Regex Listen { get; }
}
