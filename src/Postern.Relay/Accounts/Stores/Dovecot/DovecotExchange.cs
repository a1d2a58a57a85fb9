using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>One exchange by a mechanism of Dovecot's, from AUTH to OK or FAIL; it stays on the connection on which it began.</summary>
/// <param name="ask">Begins one, on a connection that is open.</param>
internal sealed class DovecotExchange(DovecotExchange.Begin ask) : IStoreExchange
{
    /// <summary>Says what came of the first message, and where it goes on under which number.</summary>
    internal delegate ValueTask<(DovecotAnswer Answer, DovecotConnection? On, uint Request)> Begin(
        ReadOnlyMemory<byte>? message, CancellationToken ct);

    private DovecotConnection? connection;
    private uint request;

    /// <summary>Dovecot waits for the client's next message.</summary>
    private bool isWaiting;

    public async ValueTask<LoginAnswer> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
    {
        DovecotAnswer answer;
        if (connection is null)
            (answer, connection, request) = await ask(response, ct);
        else
        {
            isWaiting = false;
            answer = await connection.ContinueAsync(request, response ?? ReadOnlyMemory<byte>.Empty, ct);
        }

        if (answer is DovecotAnswer.Goes(var data))
        {
            isWaiting = true;
            return new StoreStep.Goes(data).ToAnswer();
        }

        if (DovecotReply.WhyNot(answer, name: null) is { } reason)
            return reason;
        var ok = (DovecotAnswer.Ok)answer;
        return LoginNames.TryCanonical(ok.User, out var user) && !LoginNames.IsDisguisedAddress(ok.User)
            // No data is not empty data, which an array that is null would be made into.
            ? new StoreStep.Proven(user)
            {
                ProvenBy = ok.ProvenBy,
                Data = ok.Data is { } last ? new ReadOnlyMemory<byte>?(last) : new ReadOnlyMemory<byte>?(),
            }.ToAnswer()
            : new LoginAnswer.Unavailable(DovecotReply.NameOfNobody);
    }

    /// <summary>Dovecot would wait for minutes for a client that has left.</summary>
    public void Dispose()
    {
        if (isWaiting)
            connection!.Cancel(request);
        isWaiting = false;
    }
}
