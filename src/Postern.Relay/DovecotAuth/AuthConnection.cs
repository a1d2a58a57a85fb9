using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Postern.Relay.Accounts.Dovecot;
using Postern.Sasl;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// One connection of an asking server: the handshake, then any number of exchanges beside each other, each under a number of the asking
/// server's choice. Whoever breaks the protocol is disconnected: there is no way to tell it so.
/// </summary>
internal sealed class AuthConnection : IDisposable
{
    /// <summary>Exchanges at a time; one more is answered that it cannot be checked now.</summary>
    public const int MostExchanges = 1024;

    /// <summary>How long an asking server may take to say who it is, and to take what it is told.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long a client may take for a response; as Dovecot has it.</summary>
    public static readonly TimeSpan ResponseTime = TimeSpan.FromSeconds(150);

    private const string Left = "the asking server left during authentication";
    private const string Cancelled = "cancelled by the client";
    private const string Late = "Authentication timed out";

    private readonly Func<AuthService> service;
    private readonly IPAddress? asker;
    private readonly AuthEvents events;
    private readonly TimeProvider clock;
    private readonly uint number;
    private readonly string id = RandomNumberGenerator.GetHexString(12, lowercase: true);
    private readonly AuthLineReader reader;
    private readonly AuthWriter writer;
    private readonly CancellationTokenSource ending;
    private readonly TaskCompletionSource answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private readonly Dictionary<uint, AuthExchange> exchanges = [];
    private readonly long begunAt;
    private long attempts;
    private int underWay;
    private bool hasVersion;
    private bool readsCodes;
    private bool isReady;
    private bool isClosing;
    private bool isOver;

    /// <param name="service">Of this moment, for each exchange.</param>
    /// <param name="stream">Stays the caller's.</param>
    /// <param name="asker">The address of the asking server; null for a Unix socket.</param>
    /// <param name="number">Unlike that of any other connection of this process.</param>
    /// <param name="ct">Ends it at once.</param>
    public AuthConnection(
        Func<AuthService> service,
        Stream stream,
        IPAddress? asker,
        uint number,
        AuthEvents events,
        TimeProvider clock,
        CancellationToken ct)
    {
        (this.service, this.asker, this.number, this.events, this.clock) = (service, asker, number, events, clock);
        reader = new AuthLineReader(stream);
        writer = new AuthWriter(stream, clock);
        ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        begunAt = clock.GetTimestamp();
    }

    /// <summary>Holds the connection to its end. What goes wrong with it is written down and not thrown.</summary>
    public async Task RunAsync()
    {
        var listener = service().Options.Name;
        try
        {
            await SayAsync(service().Handshake(number, RandomNumberGenerator.GetHexString(32, lowercase: true))).ConfigureAwait(false);
            while (!ending.IsCancellationRequested && await reader.ReadAsync(ending.Token).ConfigureAwait(false) is { } line)
            {
                if (await TakeAsync(line).ConfigureAwait(false) is not { } objection)
                    continue;
                events.Trouble("auth_protocol", listener, asker, objection);
                break;
            }

            if (reader.IsTooLong)
                events.Trouble("auth_protocol", listener, asker, "a line of more than 16 KiB");
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // It left, or the server stops.
        }

        reader.Wipe();
        await EndAsync().ConfigureAwait(false);
    }

    /// <summary>Ends what has taken too long: the handshake, or a client's response.</summary>
    public void ExpireAt(long now)
    {
        AuthExchange[] late;
        lock (gate)
        {
            if (isOver)
                return;
            late = [.. exchanges.Values.Where(e => e.WaitsSince is { } since && clock.GetElapsedTime(since, now) >= ResponseTime)];
            foreach (var exchange in late)
                exchange.WaitsSince = null;
        }

        foreach (var exchange in late)
            _ = GiveUpAsync(exchange, error: null, "the client sent no response in time", Late);
        if (Volatile.Read(ref isReady) || clock.GetElapsedTime(begunAt, now) < Patience)
            return;
        events.Trouble("auth_protocol", service().Options.Name, asker, "it has not said who it is in time");
        CutOff();
    }

    /// <summary>Takes no more requests, and ends when those under way have been answered.</summary>
    public void Close()
    {
        bool isIdle;
        lock (gate)
        {
            isClosing = true;
            isIdle = underWay == 0;
        }

        if (isIdle)
            CutOff();
    }

    /// <summary>Ends now.</summary>
    public void CutOff()
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
        ending.Dispose();
        writer.Dispose();
    }

    /// <summary>Takes one line; answers why it cannot go on, for the log, or null.</summary>
    private ValueTask<string?> TakeAsync(ReadOnlyMemory<byte> line)
    {
        var fields = new AuthFields(line.Span);
        fields.TryTake(out var command);
        if (!hasVersion)
            return new(command.SequenceEqual("VERSION"u8) ? TakeVersion(fields) : "it does not begin with VERSION, as this protocol does");
        if (!isReady)
            return new(command.SequenceEqual("CPID"u8) ? TakeProcess() : "it asks before it has said who it is (CPID)");
        if (command.SequenceEqual("AUTH"u8))
            return AuthRequest.TryRead(fields, out var request, out var problem) ? BeginAsync(request) : new(problem);
        if (command.SequenceEqual("CONT"u8))
            return ContinueAsync(fields);
        return new(command.SequenceEqual("CANCEL"u8) ? Cancel(fields) : "a command that this protocol does not have here");
    }

    private string? TakeVersion(AuthFields fields)
    {
        if (!fields.TryTake(out var major) || !AuthLine.TryId(major, out var version) || version != 1)
            return "another version of the protocol than 1";
        // Postfix and Exim say 1.0, and take every FAIL for a wrong password, whatever its code.
        readsCodes = fields.TryTake(out var minor) && AuthLine.TryId(minor, out var revision) && revision > 0;
        hasVersion = true;
        return null;
    }

    private string? TakeProcess()
    {
        Volatile.Write(ref isReady, true);
        return null;
    }

    private async ValueTask<string?> BeginAsync(AuthRequest request)
    {
        var now = service();
        var attempt = new AuthAttempt(
            now.Options.Name, string.Create(CultureInfo.InvariantCulture, $"{id}.{++attempts}"), asker, request);
        var exchange = Start(now, attempt, out var objection);
        lock (gate)
        {
            if (exchanges.ContainsKey(request.Id))
            {
                exchange?.Dispose();
                CryptographicOperations.ZeroMemory(request.Response);
                return "it uses the number of a request that is not answered yet";
            }

            if (exchange is not null && (isClosing || underWay >= MostExchanges))
            {
                exchange.Dispose();
                exchange = null;
                objection = new(SaslError.TemporaryFailure, ClaimedUser: null, isClosing ? "the listener closes" : "too many at once");
            }

            underWay++;
            if (exchange is not null)
                exchanges.Add(request.Id, exchange);
        }

        if (exchange is not null)
        {
            _ = StepAsync(exchange, request.Response);
            return null;
        }

        CryptographicOperations.ZeroMemory(request.Response);
        events.Failed(attempt, objection);
        await FailAsync(request.Id, objection.Error, claimed: null, objection.Text?.Text).ConfigureAwait(false);
        return null;
    }

    private AuthExchange? Start(AuthService now, AuthAttempt attempt, out SaslStep.Failure objection)
    {
        var request = attempt.Request;
        objection = new(SaslError.Malformed, ClaimedUser: null, "the initial response is not base64");
        if (request.IsBroken)
            return null;
        if (now.TryStart(request, out var why) is not (var mechanism, var exchange))
        {
            objection = new(SaslError.BadCredentials, ClaimedUser: null, why) { Text = new("Authentication mechanism is not available") };
            return null;
        }

        if (request.Response is not { Length: > 0 } || mechanism.TakesInitialResponse)
            return new AuthExchange(attempt, exchange, ending.Token);
        objection = new(SaslError.Malformed, ClaimedUser: null, "an initial response, which this mechanism has not");
        return null;
    }

    private ValueTask<string?> ContinueAsync(AuthFields fields)
    {
        if (!fields.TryTake(out var field) || !AuthLine.TryId(field, out var request))
            return new("CONT without the number of a request");
        fields.TryTake(out var data);
        AuthExchange? exchange;
        lock (gate)
        {
            if (exchanges.TryGetValue(request, out exchange) && exchange.WaitsSince is null)
                return new("a response that nobody has asked for");
            if (exchange is null)
                underWay++;
            else
                exchange.WaitsSince = null;
        }

        if (exchange is null)
            return FailNobodyAsync(request);
        _ = StrictBase64.TryDecode(data, out var octets)
            ? StepAsync(exchange, octets)
            : GiveUpAsync(exchange, SaslError.Malformed, "the response is not base64", words: null);
        return new((string?)null);
    }

    /// <summary>The time of the exchange was over, and it has been told so.</summary>
    private async ValueTask<string?> FailNobodyAsync(uint request)
    {
        await FailAsync(request, SaslError.BadCredentials, claimed: null, Late).ConfigureAwait(false);
        return null;
    }

    private string? Cancel(AuthFields fields)
    {
        if (!fields.TryTake(out var field) || !AuthLine.TryId(field, out var request))
            return "CANCEL without the number of a request";
        AuthExchange? exchange;
        bool isAsking;
        lock (gate)
        {
            exchange = exchanges.GetValueOrDefault(request);
            isAsking = exchange?.WaitsSince is null;
            if (exchange is not null)
                exchange.WaitsSince = null;
        }

        if (isAsking)
            exchange?.Cancel();
        else
            Abandon(exchange!, Cancelled);
        return null;
    }

    /// <summary>One step of an exchange, and what the asking server is told of it.</summary>
    private async Task StepAsync(AuthExchange exchange, byte[]? response)
    {
        SaslStep step;
        try
        {
            step = await exchange.NextAsync(response).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Abandon(exchange, ending.IsCancellationRequested ? Left : Cancelled);
            return;
        }
        catch (Exception e)
        {
            // Its text may hold what the client sent.
            step = new SaslStep.Failure(SaslError.TemporaryFailure, ClaimedUser: null, $"it threw {e.GetType().Name}");
            events.Trouble("fault", exchange.Attempt.Listener, asker, $"{exchange.Attempt.Mechanism}: {e.GetType().Name}");
        }

        switch (step)
        {
            case SaslStep.Challenge(var data):
                await AskAsync(exchange, data).ConfigureAwait(false);
                return;
            case SaslStep.Success success:
                Remove(exchange);
                events.Succeeded(exchange.Attempt, success);
                await AnswerAsync(
                    AuthReply.Ok(
                        exchange.Id, success.Identity.AuthorizationId, exchange.Attempt.Request.TakesFinalData ? success.Data : null))
                    .ConfigureAwait(false);
                return;
            case SaslStep.Failure failure:
                Remove(exchange);
                events.Failed(exchange.Attempt, failure);
                await FailAsync(exchange.Id, failure.Error, failure.ClaimedUser, failure.Text?.Text).ConfigureAwait(false);
                return;
        }
    }

    private async Task AskAsync(AuthExchange exchange, ReadOnlyMemory<byte> challenge)
    {
        bool isHeard;
        lock (gate)
        {
            isHeard = !isOver;
            exchange.WaitsSince = isHeard ? clock.GetTimestamp() : null;
        }

        if (isHeard)
            await SayAsync(AuthReply.Cont(exchange.Id, challenge.Span)).ConfigureAwait(false);
        else
            Abandon(exchange, Left);
    }

    /// <summary>What the client did not answer, or not properly.</summary>
    /// <param name="error">Null for no answer.</param>
    private async Task GiveUpAsync(AuthExchange exchange, SaslError? error, string reason, string? words)
    {
        Remove(exchange);
        Tell(exchange, error, reason);
        await FailAsync(exchange.Id, error ?? SaslError.BadCredentials, claimed: null, words).ConfigureAwait(false);
    }

    /// <summary>Nobody is told.</summary>
    private void Abandon(AuthExchange exchange, string reason)
    {
        Remove(exchange);
        Tell(exchange, error: null, reason);
        Done();
    }

    /// <summary>How it ended: as it was lost already, where it was.</summary>
    private void Tell(AuthExchange exchange, SaslError? error, string reason)
    {
        if (exchange.Verdict is { } lost)
            events.Failed(exchange.Attempt, lost);
        else
            events.Failed(exchange.Attempt, error, reason);
    }

    private void Remove(AuthExchange exchange)
    {
        lock (gate)
            exchanges.Remove(exchange.Id);
        exchange.Dispose();
    }

    /// <summary>
    /// An asking server that reads no codes would tell its client that a password is wrong which nobody has looked at: it loses the
    /// connection in place of that, which it tells its client as a failure for now. Where other exchanges need the connection, it is kept.
    /// </summary>
    private async Task FailAsync(uint request, SaslError error, string? claimed, string? words)
    {
        bool isAlone;
        lock (gate)
            isAlone = underWay == 1;
        if (AuthReply.IsOpen(error) && !readsCodes && isAlone)
        {
            CutOff();
            Done();
            return;
        }

        await AnswerAsync(AuthReply.Fail(request, error, claimed, words)).ConfigureAwait(false);
    }

    /// <summary>The last word about a request.</summary>
    private async Task AnswerAsync(string line)
    {
        await SayAsync(line).ConfigureAwait(false);
        Done();
    }

    private async Task SayAsync(string line)
    {
        if (!await writer.TryWriteAsync(line, ending.Token).ConfigureAwait(false))
            CutOff();
    }

    private void Done()
    {
        bool isLast;
        lock (gate)
        {
            isLast = --underWay == 0 && (isClosing || isOver);
            if (isLast && isOver)
                answered.TrySetResult();
        }

        if (isLast)
            CutOff();
    }

    /// <summary>What waits for a client is given up; what is being asked is waited for.</summary>
    private async Task EndAsync()
    {
        CutOff();
        AuthExchange[] waiting;
        lock (gate)
        {
            isOver = true;
            waiting = [.. exchanges.Values.Where(static e => e.WaitsSince is not null)];
            foreach (var exchange in waiting)
                exchange.WaitsSince = null;
            if (underWay == 0)
                answered.TrySetResult();
        }

        foreach (var exchange in waiting)
            Abandon(exchange, Left);
        await answered.Task.ConfigureAwait(false);
    }
}
