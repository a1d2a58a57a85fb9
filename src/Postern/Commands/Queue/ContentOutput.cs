using System.Text;
using Postern.Commands.Output;
using Postern.Relay.Audit;

namespace Postern.Commands.Queue;

/// <summary>Where the content of a message goes that an operator asked for: to the screen, or octet for octet into a file.</summary>
/// <param name="copy">Writes the content; false where it is not there.</param>
/// <param name="gone">Says that, and answers with the exit code.</param>
internal sealed class ContentOutput(Terminal terminal, Func<Stream, CancellationToken, ValueTask<bool>> copy, Func<int> gone)
{
    private const string StandardOutput = "-";

    /// <param name="path">A file that must not exist yet, or <c>-</c> for standard output.</param>
    public async Task<int> WriteAsync(string path, CancellationToken ct) =>
        path != StandardOutput ? await SaveAsync(path, ct)
        : await copy(terminal.Octets, ct) ? ExitCode.Ok
        : gone();

    /// <summary>Line by line, so that nothing in it reaches the terminal but text.</summary>
    public async Task<int> PrintAsync(CancellationToken ct)
    {
        using var octets = new MemoryStream();
        if (!await copy(octets, ct))
            return gone();
        octets.Position = 0;
        using var lines = new StreamReader(octets, Encoding.UTF8);
        while (await lines.ReadLineAsync(ct) is { } line)
            terminal.Line(PrintableText.Of(line.Replace("\t", "    ", StringComparison.Ordinal)));
        return ExitCode.Ok;
    }

    /// <summary>Readable by its owner only, as the queue is; what breaks off leaves no file.</summary>
    private async Task<int> SaveAsync(string path, CancellationToken ct)
    {
        const string Elsewhere =
            "Name a file that does not exist, where the owner of the data directory may write; "
                + "or say --output - and let the shell write it.";
        FileStream file;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            file = new FileStream(path, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return terminal.Fail(e.Message, Elsewhere);
        }

        var isWhole = false;
        try
        {
            await using (file)
                isWhole = await copy(file, ct);
        }
        finally
        {
            if (!isWhole)
                File.Delete(path);
        }

        if (!isWhole)
            return gone();
        terminal.Line(path);
        return ExitCode.Ok;
    }
}
