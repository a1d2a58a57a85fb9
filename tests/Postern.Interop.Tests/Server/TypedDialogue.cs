using System.Diagnostics;
using System.Text;

namespace Postern.Interop.Tests.Server;

/// <summary>A program that passes on what is typed and shows what the server answers. Each line is typed when the answer before it is there.</summary>
internal sealed class TypedDialogue : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly Task<string> complaining;
    private readonly StringBuilder seen = new();

    public TypedDialogue(string program, params string[] arguments)
    {
        process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        complaining = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Types one line and returns the whole reply, its lines separated by LF.</summary>
    public async Task<string> TypeAsync(string line)
    {
        await process.StandardInput.WriteAsync(line + "\n");
        await process.StandardInput.FlushAsync();
        return await ReplyAsync();
    }

    /// <summary>Types many lines that get no answer, and a last one that gets one.</summary>
    public async Task<string> TypeAsync(byte[] lines, string last)
    {
        await process.StandardInput.BaseStream.WriteAsync(lines);
        return await TypeAsync(last);
    }

    /// <summary>The next reply; what else the program prints is passed over.</summary>
    public async Task<string> ReplyAsync()
    {
        var reply = new List<string>();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            line = line.TrimEnd('\r');
            seen.Append(line).Append('\n');
            if (line is not [>= '2' and <= '5', >= '0' and <= '9', >= '0' and <= '9', ' ' or '-', ..])
                continue;
            reply.Add(line);
            if (line[3] == ' ')
                return string.Join('\n', reply);
        }

        throw new InvalidOperationException($"there was no reply: {seen}{await complaining}");
    }

    public async Task<int> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
