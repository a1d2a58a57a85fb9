using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Postern.Testing.Processes;

/// <summary>A <c>postern serve</c> of its own process, accepting mail.</summary>
public sealed class PosternProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RunningProgram program;
    private readonly string data;
    private readonly Dictionary<string, IPEndPoint> endpoints;

    private PosternProcess(RunningProgram program, string data)
    {
        this.program = program;
        this.data = data;
        endpoints = Endpoints(program.Error.Lines);
    }

    /// <summary>Of the server itself, also where a tracer started it.</summary>
    public int Id
    {
        get
        {
            var children = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{program.Id}/task/{program.Id}/children")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return children is [var child, ..] ? int.Parse(child, CultureInfo.InvariantCulture) : program.Id;
        }
    }

    /// <summary>The events.</summary>
    public OutputLines Output => program.Output;

    /// <summary>What it says about itself.</summary>
    public OutputLines Error => program.Error;

    public bool HasExited => program.HasExited;

    /// <summary>The first endpoint of a listener, with its real port.</summary>
    public IPEndPoint this[string listener] => endpoints[listener];

    /// <summary>Waits until it accepts; when it ends instead, its words are in the exception.</summary>
    internal static async Task<PosternProcess> StartAsync(IReadOnlyList<string> command, string directory, string data, IReadOnlyDictionary<string, string>? environment)
    {
        var started = RunningProgram.Start(command, directory, environment);
        try
        {
            await started.Error.FindAsync(static line => line.StartsWith("  data: ", StringComparison.Ordinal)).WaitAsync(Patience);
            return new PosternProcess(started, data);
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>What <c>postern status --json</c> prints.</summary>
    public async Task<JsonElement> StatusAsync(CancellationToken ct)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(data, "control.sock")), ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler) { Timeout = Patience };
        return await client.GetFromJsonAsync<JsonElement>("http://postern/api/v1/status", ct);
    }

    /// <summary>Waits until the spool is empty.</summary>
    public Task DrainAsync(CancellationToken ct) => UntilAsync(static status => status.GetProperty("queue").GetProperty("messages").GetInt32() == 0, ct);

    /// <summary>Looks at the status until it is as wanted.</summary>
    /// <exception cref="TimeoutException">It was not within a minute.</exception>
    public async Task UntilAsync(Func<JsonElement, bool> wanted, CancellationToken ct)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (await StatusAsync(ct) is var status && !wanted(status))
        {
            if (TimeProvider.System.GetElapsedTime(begun) > Patience)
                throw new TimeoutException($"after {Patience} the status is {status}");
            await Task.Delay(50, ct);
        }
    }

    /// <summary>SIGTERM, and the exit code.</summary>
    public Task<int> StopAsync()
    {
        SendTerminate();
        return WaitAsync();
    }

    public void SendTerminate() => RunningProgram.SendTerminate(Id);

    public void SendHangUp() => RunningProgram.SendHangUp(Id);

    public Task<int> WaitAsync() => program.WaitAsync(Patience);

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        program.SendKill();
        await program.WaitAsync(Patience);
    }

    public ValueTask DisposeAsync() => program.DisposeAsync();

    /// <summary>From lines like <c>  submission: 127.0.0.1:40023, tls starttls, auth tls-only</c>.</summary>
    private static Dictionary<string, IPEndPoint> Endpoints(IReadOnlyList<string> lines)
    {
        var found = new Dictionary<string, IPEndPoint>(StringComparer.Ordinal);
        foreach (var line in lines.Where(static l => l.StartsWith("  ", StringComparison.Ordinal) && l.Contains(", tls ", StringComparison.Ordinal)))
        {
            var name = line[2..line.IndexOf(": ", StringComparison.Ordinal)];
            found.TryAdd(name, IPEndPoint.Parse(line.AsSpan((name.Length + 4)..line.IndexOf(',', StringComparison.Ordinal))));
        }

        return found;
    }
}
