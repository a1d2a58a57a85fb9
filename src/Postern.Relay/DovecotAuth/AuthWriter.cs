using System.Text;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// Writes whole lines, one after the other, for any number of writers. An asking server that does not take them is given up.
/// </summary>
internal sealed class AuthWriter(Stream stream, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);

    /// <summary>False where the connection is over, or the other side took nothing for too long.</summary>
    public async ValueTask<bool> TryWriteAsync(string line, CancellationToken ct)
    {
        try
        {
            await turn.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(line), ct).AsTask().WaitAsync(AuthConnection.Patience, clock, ct)
                    .ConfigureAwait(false);
                return true;
            }
            finally
            {
                turn.Release();
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose() => turn.Dispose();
}
