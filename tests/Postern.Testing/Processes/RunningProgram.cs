using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Postern.Testing.Processes;

/// <summary>A program that a test started: its output is kept, and it does not outlive the test.</summary>
public sealed partial class RunningProgram : IAsyncDisposable
{
    private const int HangUp = 1;
    private const int Kill = 9;
    private const int Terminate = 15;

    private readonly Process process;
    private readonly Task reading;

    private RunningProgram(Process process)
    {
        this.process = process;
        Id = process.Id;
        reading = Task.WhenAll(Output.ReadAsync(process.StandardOutput), Error.ReadAsync(process.StandardError));
    }

    public int Id { get; }

    public OutputLines Output { get; } = new();

    public OutputLines Error { get; } = new();

    public bool HasExited => process.HasExited;

    public StreamWriter Input => process.StandardInput;

    public static RunningProgram Start(IReadOnlyList<string> command, string? directory = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = directory ?? string.Empty,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new RunningProgram(Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start"));
    }

    /// <summary>Runs a program to its end; one that does not end within two minutes is killed, and that is an error.</summary>
    public static async Task<ProgramResult> RunAsync(IReadOnlyList<string> command, string? directory = null, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        await using var program = Start(command, directory, environment);
        try
        {
            await program.Input.WriteAsync(input);
            program.Input.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it.
        }

        var exitCode = await program.WaitAsync(TimeSpan.FromMinutes(2));
        return new ProgramResult(exitCode, program.Output.Text, program.Error.Text);
    }

    /// <summary>The exit code.</summary>
    /// <exception cref="TimeoutException">With what the program has written.</exception>
    public async Task<int> WaitAsync(TimeSpan patience)
    {
        using var late = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(late.Token);
            await reading.WaitAsync(late.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"process {Id} did not end within {patience}:\n{Error.Text}{Output.Text}", e);
        }
    }

    /// <summary>Asks it to stop.</summary>
    public void SendTerminate() => Send(Id, Terminate);

    /// <summary>Ends it where it stands.</summary>
    public void SendKill() => Send(Id, Kill);

    /// <summary>Asks another process to stop, such as the child of a tracer.</summary>
    public static void SendTerminate(int processId) => Send(processId, Terminate);

    /// <summary>Tells another process to read its files again.</summary>
    public static void SendHangUp(int processId) => Send(processId, HangUp);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
    }

    private static void Send(int processId, int signal)
    {
        if (kill(processId, signal) != 0)
            throw new InvalidOperationException($"signal {signal} did not reach process {processId}");
    }

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
