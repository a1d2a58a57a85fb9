using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Doors;
using Postern.Web.Traffic;

namespace Postern.Web;

/// <summary>
/// The console and the API of a server over the network, wherever they are configured: nowhere, here, somewhere else. That they cannot be
/// opened is told, and mail goes on.
/// </summary>
/// <param name="open">Opens what says who may come in.</param>
/// <param name="hostname">As authenticators show it.</param>
internal sealed class ConsolePlane(ServedRelay served, Func<WebAccess> open, string hostname) : IAsyncDisposable
{
    private readonly SemaphoreSlim changing = new(1);
    private readonly MinuteCounts traffic = new(served.Clock);
    private WebOptions options = new([]);
    private WebAccess? access;
    private WebPlane? plane;
    private WebDoor? door;
    private WebListener? listener;
    private bool isCounting;
    private bool isDisposed;

    /// <summary>What it is bound to, with the real ports; empty for nowhere.</summary>
    public ImmutableArray<IPEndPoint> Endpoints => listener?.Endpoints ?? [];

    /// <summary>Goes on with these; what is as it was stays open. Whoever is signed in stays so.</summary>
    /// <param name="address">Where it is, for links that people follow.</param>
    public async Task ApplyAsync(WebOptions next, string address, CancellationToken ct)
    {
        await changing.WaitAsync(ct);
        try
        {
            // One that could not be opened is tried again with the next change, whatever that is.
            if (isDisposed || (next.IsLike(options) && (listener is not null || next.Listen.IsEmpty)))
                return;
            await CloseAsync();
            options = next;
            if (!next.Listen.IsEmpty)
                await OpenAsync(address, ct);
        }
        finally
        {
            changing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await changing.WaitAsync();
        isDisposed = true;
        await CloseAsync();
        access?.Dispose();
        access = null;
        changing.Release();
    }

    private async Task OpenAsync(string address, CancellationToken ct)
    {
        try
        {
            access ??= open();
            if (!isCounting)
                served.Live.Attach(traffic);
            isCounting = true;
            var entered = served with { Access = access, Console = address };
            plane = new WebPlane(entered, new WebConsole(entered, access, traffic, hostname));
            door = new WebDoor(options, access);
            listener = await WebListener.StartAsync(options, plane.Through(door), ct);
            served.Tell("web_started", string.Join(", ", listener.Endpoints));
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or DirectoryUnavailableException or InvalidOperationException)
        {
            served.Tell("web_unavailable", $"the console and the API are not there, and mail goes on: {e.Message}");
            await CloseAsync();
        }
    }

    private async Task CloseAsync()
    {
        if (listener is not null)
            await listener.DisposeAsync();
        listener = null;
        door?.Dispose();
        door = null;
        if (plane is not null)
            await plane.DisposeAsync();
        plane = null;
    }
}
