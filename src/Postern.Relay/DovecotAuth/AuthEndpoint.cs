namespace Postern.Relay.DovecotAuth;

/// <summary>Where a listener is bound.</summary>
/// <param name="Place">With the real port.</param>
/// <param name="Connections">Of asking servers, open now.</param>
public sealed record AuthEndpoint(AuthListenerOptions Listener, AuthPlace Place, int Connections);

/// <summary>What became of the places by another configuration; each stands in one of the lists.</summary>
/// <param name="Kept">The socket is the one of before; what is asked there from now on is answered by the new configuration.</param>
/// <param name="Removed">Closed; connections that are open there end when what they have asked is answered.</param>
public sealed record AppliedAuthPlaces(
    IReadOnlyList<AuthEndpoint> Added, IReadOnlyList<AuthEndpoint> Kept, IReadOnlyList<AuthEndpoint> Removed)
{
    public static AppliedAuthPlaces None { get; } = new([], [], []);
}
