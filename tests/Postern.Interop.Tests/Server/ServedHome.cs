using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>A <c>postern serve</c> for the tests of a class, with a directory of its own. What was begun ends also where the start failed.</summary>
public abstract class ServedHome : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private PosternProcess? process;

    /// <summary>Gone with the server.</summary>
    protected DirectoryInfo Directory { get; } = System.IO.Directory.CreateTempSubdirectory("postern-served-");

    /// <summary>Set by <see cref="StartAsync"/>.</summary>
    protected PosternHome? Home { get; set; }

    public int Port(string listener) => process![listener].Port;

    public int Port(Way way) => Port(way == Way.Implicit ? "submissions" : "submission");

    /// <summary>The first login in the log, past or to come, with all of these texts.</summary>
    public Task<string> LoginAsync(params string[] texts) => EventAsync(["\"event\":\"login\"", .. texts]);

    /// <summary>The first line of the log, past or to come, with all of these texts.</summary>
    public Task<string> EventAsync(params string[] texts) =>
        process!.Output.FindAsync(line => Array.TrueForAll(texts, text => line.Contains(text, StringComparison.Ordinal))).WaitAsync(Patience);

    public async ValueTask InitializeAsync()
    {
        try
        {
            process = await StartAsync();
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (process is not null)
        {
            await process.StopAsync();
            await process.DisposeAsync();
        }

        Home?.Dispose();
        Directory.Delete(recursive: true);
    }

    /// <summary>Makes <see cref="Home"/> and starts the server on it.</summary>
    protected abstract Task<PosternProcess> StartAsync();
}
