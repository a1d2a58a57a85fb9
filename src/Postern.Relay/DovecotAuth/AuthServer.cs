using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Transport;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// The sockets of the authentication service and the connections there. Sockets and connections last; what is asked is answered by the
/// configuration of that moment.
/// </summary>
internal sealed class AuthServer : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly AuthEvents events;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<AuthConnection, AuthSlot> connections = [];
    private readonly CancellationTokenSource cuttingOff = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer ticker;
    private ImmutableArray<AuthSlot> slots = [];
    private uint last;
    private int open;
    private volatile bool isStopping;

    public AuthServer(AuthEvents events, TimeProvider clock)
    {
        (this.events, this.clock) = (events, clock);
        ticker = clock.CreateTimer(_ => OnTick(), state: null, Tick, Tick);
    }

    public IReadOnlyList<AuthEndpoint> Endpoints => [.. slots.Select(static s => s.Endpoint)];

    /// <summary>Of asking servers, open now.</summary>
    public int Connections => Volatile.Read(ref open);

    /// <summary>
    /// Binds what is new of <paramref name="services"/>, and changes nothing else until <see cref="AuthChange.Commit"/>; a change that is
    /// disposed before has not happened. One at a time.
    /// </summary>
    /// <exception cref="ListenException">A place cannot be bound; nothing has changed.</exception>
    public AuthChange Prepare(IReadOnlyList<AuthService> services)
    {
        var left = slots.ToList();
        var fresh = new List<AuthSlot>();
        var next = ImmutableArray.CreateBuilder<(AuthSlot Slot, AuthService Service)>();
        try
        {
            foreach (var service in services)
            {
                foreach (var place in service.Options.Places)
                {
                    var slot = left.Find(s => s.IsFor(place, service.Options.Name));
                    if (slot is null)
                        fresh.Add(slot = new AuthSlot(AuthSocket.Bind(service.Options.Name, place), service));
                    else
                        left.Remove(slot);
                    next.Add((slot, service));
                }
            }
        }
        catch (ListenException)
        {
            fresh.ForEach(static s => s.Socket.Close());
            throw;
        }

        return new AuthChange(this, next.ToImmutable(), fresh, left);
    }

    /// <summary>Accepts no more, answers what has been asked until <paramref name="ct"/> is cancelled, and ends every connection.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        isStopping = true;
        await ticker.DisposeAsync().ConfigureAwait(false);
        foreach (var slot in slots)
            slot.Socket.Close();
        foreach (var connection in connections.Keys)
            connection.Close();
        if (Volatile.Read(ref open) == 0)
            drained.TrySetResult();
        try
        {
            await drained.Task.WaitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await cuttingOff.CancelAsync().ConfigureAwait(false);
            await drained.Task.ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync().ConfigureAwait(false);
        await StopAsync(now.Token).ConfigureAwait(false);
        cuttingOff.Dispose();
    }

    internal AppliedAuthPlaces Take(AuthChange change)
    {
        foreach (var (slot, service) in change.Next)
            Renew(slot, service);
        slots = [.. change.Next.Select(static n => n.Slot)];
        foreach (var slot in change.Fresh)
            _ = Task.Run(() => slot.Socket.AcceptAsync(
                client => Welcome(slot, client), reason => events.ListenerTrouble(slot.Service.Options.Name, reason), clock));
        foreach (var slot in change.Left)
        {
            slot.Socket.Close();
            foreach (var (connection, _) in connections.Where(c => c.Value == slot))
                connection.Close();
        }

        return new AppliedAuthPlaces(
            [.. change.Fresh.Select(static s => s.Endpoint)],
            [.. slots.Except(change.Fresh).Select(static s => s.Endpoint)],
            [.. change.Left.Select(static s => s.Endpoint)]);
    }

    /// <summary>The socket stays; its file may be somebody else's from now on.</summary>
    private void Renew(AuthSlot slot, AuthService service)
    {
        var asked = service.Options.Places.OfType<AuthPlace.Unix>().FirstOrDefault(p => slot.IsFor(p, service.Options.Name));
        try
        {
            if (asked is not null && !asked.Equals(slot.Given))
                SocketFile.Give(asked);
            slot.Given = asked;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            events.ListenerTrouble(service.Options.Name, $"{asked} keeps the owner and the mode that it had: {e.Message}");
        }

        slot.Service = service;
    }

    private void Welcome(AuthSlot slot, Socket client)
    {
        var options = slot.Service.Options;
        var asker = AddressOf(client);
        var objection = asker is not null && options.Clients is { } clients && !clients.Any(network => network.Contains(asker))
            ? "not in the listener's clients"
            : slot.Connections >= options.MaxConnections ? $"more than {options.MaxConnections} connections" : null;
        if (objection is not null || isStopping)
        {
            if (objection is not null)
                events.Trouble("turned_away", options.Name, asker, objection);
            client.Dispose();
            return;
        }

        Interlocked.Increment(ref open);
        slot.Enter();
        _ = Task.Run(() => HoldAsync(slot, client, asker));
    }

    private async Task HoldAsync(AuthSlot slot, Socket client, IPAddress? asker)
    {
        try
        {
            if (asker is not null)
            {
                client.NoDelay = true;
                client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
            }

            await using var stream = new NetworkStream(client, ownsSocket: true);
            using var connection = new AuthConnection(
                () => slot.Service, stream, asker, Interlocked.Increment(ref last), events, clock, cuttingOff.Token);
            connections[connection] = slot;
            try
            {
                if (isStopping || slot.Socket.IsClosed)
                    connection.Close();
                await connection.RunAsync().ConfigureAwait(false);
            }
            finally
            {
                connections.TryRemove(connection, out _);
            }
        }
        catch (Exception e)
        {
            events.Trouble("fault", slot.Service.Options.Name, asker, e.GetType().Name);
        }
        finally
        {
            client.Dispose();
            slot.Leave();
            if (Interlocked.Decrement(ref open) == 0 && isStopping)
                drained.TrySetResult();
        }
    }

    private void OnTick()
    {
        var now = clock.GetTimestamp();
        foreach (var connection in connections.Keys)
            connection.ExpireAt(now);
    }

    private static IPAddress? AddressOf(Socket client)
    {
        try
        {
            return (client.RemoteEndPoint as IPEndPoint)?.Address is { } address
                ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address
                : null;
        }
        catch (SocketException)
        {
            return IPAddress.None; // it has left already
        }
    }
}
