using System.Security.Cryptography;
using Postern.Sasl;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// One exchange of a connection, from AUTH to OK or FAIL. Either it is asked for its next step, or the client's next response is waited
/// for.
/// </summary>
internal sealed class AuthExchange : IDisposable
{
    private readonly ISaslExchange exchange;
    private readonly CancellationTokenSource ending;
    private SaslStep.Success? success;

    public AuthExchange(AuthAttempt attempt, ISaslExchange exchange, CancellationToken connection)
    {
        (Attempt, this.exchange) = (attempt, exchange);
        ending = CancellationTokenSource.CreateLinkedTokenSource(connection);
    }

    public AuthAttempt Attempt { get; }

    public uint Id => Attempt.Request.Id;

    /// <summary>Since when the client's next response is waited for; null while a step is under way. Guarded by the connection.</summary>
    public long? WaitsSince { get; set; }

    /// <summary>How it has ended already, where the client is only being told why.</summary>
    public SaslStep.Failure? Verdict { get; private set; }

    /// <summary>
    /// The next step; the octets are wiped when it is made. What comes with a success is a challenge before it where OK cannot carry it,
    /// and wants an empty response.
    /// </summary>
    public async ValueTask<SaslStep> NextAsync(byte[]? response)
    {
        if (success is not null)
            return response is { Length: 0 }
                ? success
                : new SaslStep.Failure(SaslError.Malformed, ClaimedUser: null, "a response to the final message, which wants none");
        try
        {
            // No response is not an empty one, which an array that is null would be made into.
            ReadOnlyMemory<byte>? octets = response is null ? new ReadOnlyMemory<byte>?() : response.AsMemory();
            var step = await exchange.NextAsync(octets, ending.Token).ConfigureAwait(false);
            Verdict = (step as SaslStep.Challenge)?.Verdict;
            if (step is not SaslStep.Success { Data: { } data } proven || Attempt.Request.TakesFinalData)
                return step;
            success = proven;
            return new SaslStep.Challenge(data);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(response);
        }
    }

    /// <summary>Nobody wants to know any more.</summary>
    public void Cancel()
    {
        try
        {
            ending.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }

    public void Dispose()
    {
        (exchange as IDisposable)?.Dispose();
        ending.Dispose();
    }
}
