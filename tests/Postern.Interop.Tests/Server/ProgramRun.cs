using System.Diagnostics;
using System.Text;

namespace Postern.Interop.Tests.Server;

/// <summary>A program that has ended, and what it said.</summary>
public sealed record ProgramRun(int ExitCode, byte[] OutputOctets, string Error)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string Output => Encoding.UTF8.GetString(OutputOctets);

    /// <summary>Both streams, for an assertion's message.</summary>
    public string Text => $"{Output}{Error}";

    /// <summary>Runs a program to its end; one that does not end is killed with its children, and that is an exception.</summary>
    public static async Task<ProgramRun> StartAsync(ProgramCommand command)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = command.WorkingDirectory ?? string.Empty,
        };
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var output = new MemoryStream();
        var copying = process.StandardOutput.BaseStream.CopyToAsync(output);
        var complaining = process.StandardError.ReadToEndAsync();
        try
        {
            await FeedAsync(process, command.InputOctets ?? Encoding.UTF8.GetBytes(command.Input ?? string.Empty));
            await Task.WhenAll(process.WaitForExitAsync(), copying, complaining).WaitAsync(Patience);
        }
        catch (TimeoutException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{command.Program} {string.Join(' ', command.Arguments)} did not end: {Encoding.UTF8.GetString(output.ToArray())}", e);
        }

        return new ProgramRun(process.ExitCode, output.ToArray(), await complaining);
    }

    public void AssertSucceeded() => Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Text}");

    private static async Task FeedAsync(Process process, byte[] input)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A program may end without reading what it was given; its exit code says whether that was right.
        }
    }
}
