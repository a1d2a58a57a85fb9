using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>Postfix's smtp-sink, which writes each message to a file of its own (smtp-sink(1), <c>-d</c>).</summary>
internal sealed class SmtpSinkProcess : IAsyncDisposable
{
    private readonly RunningProgram process;

    private SmtpSinkProcess(RunningProgram process, string directory, int port)
    {
        this.process = process;
        Directory = directory;
        Port = port;
    }

    public string Directory { get; }

    public int Port { get; }

    /// <summary>Null where it is not installed.</summary>
    public static async Task<SmtpSinkProcess?> StartAsync(string directory)
    {
        if (Peer.Find("smtp-sink") is not { } program)
            return null;
        // As root it wants to be told whom to become, even if that is root.
        string[] identity = Environment.IsPrivilegedProcess ? ["-u", "root"] : [];
        var (process, port) = await ListeningProgram.StartAsync(
            at => Task.FromResult<string[]>([program, .. identity, "-d", Path.Combine(directory, "message."), $"inet:127.0.0.1:{at}", "100"]));
        return new SmtpSinkProcess(process, directory, port);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
