using System.Net.Sockets;

namespace Postern.Relay.Policy.Services;

/// <summary>
/// One policy service, and the connections to it. They are kept while questions come, and no more than <see cref="MostConnections"/> are
/// open: who finds all in use waits for one, within its own time. Any thread may ask.
/// </summary>
internal sealed class PolicyService(PolicyPlace place, TimeProvider clock) : IDisposable
{
    /// <summary>So many questions are under way.</summary>
    public const int MostConnections = 50;

    /// <summary>A connection that nobody asks for so long is closed.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim turns = new(MostConnections);
    private readonly Lock gate = new();
    private readonly Stack<PolicyConnection> waiting = [];
    private ITimer? sweeping;
    private bool isClosed;

    /// <summary>Connections that wait for a question.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
                return waiting.Count;
        }
    }

    /// <summary>Asks; once more over a new connection where an old one was closed over there.</summary>
    /// <exception cref="OperationCanceledException">No answer before <paramref name="ct"/>.</exception>
    public async ValueTask<PolicyReply> AskAsync(ReadOnlyMemory<byte> question, CancellationToken ct)
    {
        await turns.WaitAsync(ct);
        try
        {
            if (Take() is { } old && await AskAsync(old, question, ct) is var reply and not PolicyReply.Closed)
                return reply;
            var socket = place.NewSocket();
            try
            {
                await socket.ConnectAsync(place.EndPoint, ct);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                return new PolicyReply.Broken(WhyNot(e));
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            return await AskAsync(new PolicyConnection(socket), question, ct);
        }
        finally
        {
            turns.Release();
        }
    }

    public void Dispose()
    {
        lock (gate)
            isClosed = true;
        sweeping?.Dispose();
        while (Pop() is { } one)
            one.Dispose();
    }

    private async ValueTask<PolicyReply> AskAsync(PolicyConnection connection, ReadOnlyMemory<byte> question, CancellationToken ct)
    {
        var isKept = false;
        try
        {
            var reply = await connection.AskAsync(question, ct);
            isKept = connection.IsClean && TryKeep(connection);
            return reply;
        }
        finally
        {
            if (!isKept)
                connection.Dispose();
        }
    }

    /// <summary>One that waits and is still as it was left; null where there is none.</summary>
    private PolicyConnection? Take()
    {
        while (Pop() is { } one)
        {
            if (one.IsSilent() && clock.GetElapsedTime(one.Since!.Value) < KeptFor)
                return one;
            one.Dispose();
        }

        return null;
    }

    private PolicyConnection? Pop()
    {
        lock (gate)
            return waiting.TryPop(out var one) ? one : null;
    }

    private bool TryKeep(PolicyConnection connection)
    {
        lock (gate)
        {
            if (isClosed)
                return false;
            connection.Since = clock.GetTimestamp();
            waiting.Push(connection);
            sweeping ??= clock.CreateTimer(static state => ((PolicyService)state!).Sweep(), this, KeptFor, KeptFor);
            return true;
        }
    }

    private void Sweep()
    {
        List<PolicyConnection> old = [];
        lock (gate)
        {
            PolicyConnection[] all = [.. waiting.Reverse()];
            waiting.Clear();
            foreach (var one in all)
            {
                if (clock.GetElapsedTime(one.Since!.Value) < KeptFor)
                    waiting.Push(one);
                else
                    old.Add(one);
            }

            if (waiting.Count == 0)
            {
                sweeping?.Dispose();
                sweeping = null;
            }
        }

        old.ForEach(static one => one.Dispose());
    }

    private string WhyNot(SocketException e) => (place.Path, e.SocketErrorCode) switch
    {
        ({ } path, _) when !File.Exists(path) => $"there is no {path}: it is not running, or listens elsewhere",
        ({ } path, SocketError.AccessDenied) => $"this server may not open {path}: give it to its user or group",
        (_, SocketError.ConnectionRefused) => "nobody listens there: it is not running, or listens elsewhere",
        _ => $"it cannot be reached: {e.Message}",
    };
}
