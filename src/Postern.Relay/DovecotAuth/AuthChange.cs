using System.Collections.Immutable;

namespace Postern.Relay.DovecotAuth;

/// <summary>Other listeners of the authentication service, bound and not yet in force.</summary>
internal sealed class AuthChange(
    AuthServer server,
    ImmutableArray<(AuthSlot Slot, AuthService Service)> next,
    IReadOnlyList<AuthSlot> fresh,
    IReadOnlyList<AuthSlot> left) : IDisposable
{
    private bool isTaken;

    public ImmutableArray<(AuthSlot Slot, AuthService Service)> Next => next;

    /// <summary>Bound for this.</summary>
    public IReadOnlyList<AuthSlot> Fresh => fresh;

    /// <summary>No longer wanted.</summary>
    public IReadOnlyList<AuthSlot> Left => left;

    /// <summary>It counts from now on.</summary>
    public AppliedAuthPlaces Commit()
    {
        isTaken = true;
        return server.Take(this);
    }

    /// <summary>Unless it was committed, what was bound for it is closed.</summary>
    public void Dispose()
    {
        if (isTaken)
            return;
        foreach (var slot in fresh)
            slot.Socket.Close();
    }
}
