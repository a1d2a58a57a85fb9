using System.Diagnostics;

namespace Postern.Bench;

/// <summary>Another process of this program: it is asked in a line and answers in one, and ends when its input does.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process process;

    private ChildProcess(Process process, string greeting) => (this.process, Greeting) = (process, greeting);

    /// <summary>Its first line.</summary>
    public string Greeting { get; }

    public int Id => process.Id;

    public static async Task<ChildProcess> StartAsync(params string[] arguments)
    {
        // Started by the shared host, the process is that host.
        var self = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(ChildProcess).Assembly.Location] : Array.Empty<string>();
        var started = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. self, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var greeting = await started.StandardOutput.ReadLineAsync().ConfigureAwait(false);
        return new ChildProcess(started, greeting ?? throw new InvalidOperationException($"{arguments[0]} ended before it said anything"));
    }

    public async Task<string> AskAsync(string question)
    {
        await process.StandardInput.WriteLineAsync(question).ConfigureAwait(false);
        return await process.StandardOutput.ReadLineAsync().ConfigureAwait(false) ?? throw new InvalidOperationException("it has ended");
    }

    public async Task EndAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }
}
