using System.Net;
using Postern.Relay.Runtime;

namespace Postern.Web.Metrics;

/// <summary>The listener for metrics of a server, whatever is configured: none, one, another one.</summary>
/// <param name="tell">Takes a word and its detail for the log.</param>
internal sealed class MetricsPlane(RelayService relay, string version, Action<string, string> tell) : IAsyncDisposable
{
    private readonly SemaphoreSlim changing = new(1);
    private MetricsOptions? options;
    private MetricsListener? listener;
    private bool isDisposed;

    /// <summary>Where it listens, with the real port; null where it does not.</summary>
    public IPEndPoint? Endpoint => listener?.Endpoint;

    /// <summary>Goes on with these; what is as it was stays open. What is not begins to count anew.</summary>
    public async Task ApplyAsync(MetricsOptions next, CancellationToken ct)
    {
        await changing.WaitAsync(ct);
        try
        {
            // One that could not begin is tried again with the next change, whatever that is.
            if (isDisposed || (next.IsLike(options) && (listener is not null || next.IsOff)))
                return;
            if (listener is not null)
                await listener.DisposeAsync();
            listener = null;
            (listener, options) = (await MetricsListener.StartAsync(next, relay, version, tell, ct), next);
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
        if (listener is not null)
            await listener.DisposeAsync();
        listener = null;
        changing.Release();
    }
}
