using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Postern.Interop.Tests.Server;

/// <summary>The executable as an operator runs it.</summary>
internal sealed partial class PosternProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "postern.dll");

    private readonly Process process;
    private readonly Task reading;
    private readonly Task complaining;
    private readonly List<string> complaints = [];
    private readonly Dictionary<string, int> ports = [];
    private readonly TaskCompletionSource isServing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PosternProcess(Process process)
    {
        this.process = process;
        reading = Events.ReadAsync(process.StandardOutput);
        complaining = ReadErrorsAsync();
    }

    public EventStream Events { get; } = new();

    /// <summary>The port of each listener by its name.</summary>
    public IReadOnlyDictionary<string, int> Ports => ports;

    /// <summary>Runs a command that ends by itself and must end well.</summary>
    public static async Task CommandAsync(string config, string? input, params string[] arguments)
    {
        var run = await ProgramRun.StartAsync(new ProgramCommand("dotnet", [Executable, "--config", config, .. arguments]) { Input = input });
        if (run.ExitCode != 0)
            throw new InvalidOperationException($"postern {string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Text}");
    }

    /// <summary>Starts <c>postern serve</c> and returns when it has announced its listeners.</summary>
    public static async Task<PosternProcess> ServeAsync(string config)
    {
        var start = new ProcessStartInfo("dotnet", [Executable, "serve", "--config", config]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        var served = new PosternProcess(Process.Start(start)!);
        await served.isServing.Task.WaitAsync(Patience);
        return served;
    }

    public async ValueTask DisposeAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync().WaitAsync(Patience);
        await Task.WhenAll(reading, complaining);
        process.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            complaints.Add(line);
            if (Listening().Match(line) is { Success: true } match)
                ports[match.Groups["name"].Value] = IPEndPoint.Parse(match.Groups["endpoint"].Value).Port;
            else if (line.StartsWith("  data:", StringComparison.Ordinal))
                isServing.TrySetResult();
        }

        isServing.TrySetException(new InvalidOperationException($"postern serve ended: {string.Join(Environment.NewLine, complaints)}"));
    }

    [GeneratedRegex(@"^  (?<name>\S+): (?<endpoint>\S+), tls ", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();
}
