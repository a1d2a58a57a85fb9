namespace Postern.Relay.DovecotAuth;

/// <summary>A bound socket, and the service that answers there now.</summary>
internal sealed class AuthSlot(AuthSocket socket, AuthService service)
{
    private volatile AuthService service = service;
    private int connections;

    public AuthSocket Socket => socket;

    /// <summary>From the next request on, of open connections too.</summary>
    public AuthService Service { get => service; set => service = value; }

    /// <summary>With the owner and the mode that its file has; null for TCP.</summary>
    public AuthPlace.Unix? Given { get; set; } = socket.Place as AuthPlace.Unix;

    public int Connections => Volatile.Read(ref connections);

    public AuthEndpoint Endpoint => new(service.Options, socket.BoundTo, Connections);

    /// <summary>The same socket can serve there. Port 0 names one only together with its listener.</summary>
    public bool IsFor(AuthPlace place, string listener) => (place, socket.Place) switch
    {
        (AuthPlace.Unix wanted, AuthPlace.Unix bound) => wanted.Path == bound.Path,
        (AuthPlace.Tcp wanted, AuthPlace.Tcp bound) =>
            wanted.Endpoint.Equals(bound.Endpoint) && (wanted.Endpoint.Port != 0 || service.Options.Name == listener),
        _ => false,
    };

    public void Enter() => Interlocked.Increment(ref connections);

    public void Leave() => Interlocked.Decrement(ref connections);
}
