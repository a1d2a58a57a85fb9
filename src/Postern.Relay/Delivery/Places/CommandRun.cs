using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// One run of a command: in a session of its own, so that what it started ends with it; with an environment of its own, and with time and
/// output that are limited.
/// </summary>
internal sealed partial class CommandRun(
    ImmutableArray<string> words, ImmutableArray<(string Name, string Value)> environment, PlaceContext context)
{
    /// <summary>Runs a command as the leader of a new session and group, in its own place.</summary>
    public const string NewSession = "/usr/bin/setsid";

    /// <summary>What that says in the command's place where it cannot run it.</summary>
    public const int NotRun = 126;

    /// <summary>What that says where there is no such command.</summary>
    public const int NotFound = 127;

    /// <summary>The runtime adds this to the number of the signal that ended a process.</summary>
    public const int Signal = 128;

    private const int MostOutput = 512;
    private const int BufferOctets = 32 * 1024;
    private const int Kill = 9;

    /// <summary>How long what a command has said is still waited for when it has ended and something holds its output open.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    /// <param name="revoked">Ends it while it has not had the whole message.</param>
    public async ValueTask<CommandEnd> RunAsync(PlaceContent content, CancellationToken revoked, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        revoked.ThrowIfCancellationRequested();
        using var deadline = new CancellationTokenSource(context.CommandTime, context.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        using var process = new Process { StartInfo = StartInfo() };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            return new CommandEnd(Status: NotRun, string.Empty) { NotStarted = e.Message };
        }

        var group = process.Id;
        var output = new CommandOutput(MostOutput);
        var reading = Task.WhenAll(
            output.ReadAsync(process.StandardOutput.BaseStream), output.ReadAsync(process.StandardError.BaseStream));
        try
        {
            using (var sending = CancellationTokenSource.CreateLinkedTokenSource(either.Token, revoked))
                await SendAsync(process.StandardInput.BaseStream, content, sending.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
            await Task.WhenAny(reading, Task.Delay(LastWords, context.Clock, CancellationToken.None)).ConfigureAwait(false);
            return new CommandEnd(process.ExitCode, output.Text);
        }
        catch (OperationCanceledException)
            when (deadline.IsCancellationRequested && !ct.IsCancellationRequested && !revoked.IsCancellationRequested)
        {
            return new CommandEnd(Status: 0, output.Text) { HasTimedOut = true };
        }
        finally
        {
            // Whatever it left behind ends too. Its own number is free again when nothing of the group is left: nobody else's is hit.
            await EndAsync(process, group).ConfigureAwait(false);
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(NewSession)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var word in words)
            start.ArgumentList.Add(word);
        start.Environment.Clear();
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return start;
    }

    /// <summary>A command that does not want to read on has its reasons: its status tells.</summary>
    private static async ValueTask SendAsync(Stream input, PlaceContent content, CancellationToken ct)
    {
        var buffer = new byte[BufferOctets];
        try
        {
            await using (input.ConfigureAwait(false))
            {
                while (await content.ReadAsync(buffer, ct).ConfigureAwait(false) is var count and > 0)
                    await input.WriteAsync(buffer.AsMemory(0, count), ct).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // EPIPE.
        }
    }

    /// <summary>
    /// The group is ended first; a process that had no time to make its session is ended by itself. A command that ended well loses only
    /// what it left in its group.
    /// </summary>
    private static async ValueTask EndAsync(Process process, int group)
    {
        _ = kill(-group, Kill);
        if (process.HasExited)
            return;
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _ = kill(-group, Kill);
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int kill(int process, int signal);
}

/// <summary>How a command ended.</summary>
/// <param name="Status">Of its exit; above <see cref="CommandRun.Signal"/> the number of the signal that ended it.</param>
/// <param name="Output">What it said first, in one line.</param>
internal sealed record CommandEnd(int Status, string Output)
{
    /// <summary>Why it could not be run; null where it could.</summary>
    public string? NotStarted { get; init; }

    public bool HasTimedOut { get; init; }
}

/// <summary>The beginning of what a command says; the rest is read, so that it does not stand still, and forgotten.</summary>
internal sealed class CommandOutput(int most)
{
    private readonly Lock gate = new();
    private readonly byte[] kept = new byte[most];
    private int length;

    /// <summary>In one line, without control characters.</summary>
    public string Text
    {
        get
        {
            lock (gate)
            {
                var words = Encoding.UTF8.GetString(kept, 0, length);
                return string.Join(' ', string.Concat(words.Select(static c => char.IsControl(c) ? ' ' : c))
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }
    }

    public async Task ReadAsync(Stream stream)
    {
        var buffer = new byte[most];
        try
        {
            while (await stream.ReadAsync(buffer).ConfigureAwait(false) is var read and > 0)
            {
                lock (gate)
                {
                    var taken = Math.Min(read, most - length);
                    buffer.AsSpan(0, taken).CopyTo(kept.AsSpan(length));
                    length += taken;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The command is over.
        }
    }
}
