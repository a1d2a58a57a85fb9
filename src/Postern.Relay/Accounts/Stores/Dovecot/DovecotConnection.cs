using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Dovecot;
using Postern.Relay.Accounts.Stores.Answers;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>
/// One connection to Dovecot's authentication service, for any number of requests at a time, each under a number of its own. It ends with
/// the first line that is none: what is said after that cannot be believed. Any thread may ask.
/// </summary>
internal sealed class DovecotConnection : IDisposable
{
    /// <summary>A request that waits so long, while nothing else is heard either, is a reason to ask whether Dovecot lives.</summary>
    public static readonly TimeSpan Doubt = TimeSpan.FromSeconds(1);

    private const string TooLong = "it sends a line of more than 16 KiB";

    private readonly Stream stream;
    private readonly TimeProvider clock;
    private readonly TimeSpan patience;
    private readonly Func<Task<string?>> whyDead;
    private readonly AuthLineReader reader;
    private readonly CancellationTokenSource ending = new();
    private readonly SemaphoreSlim turn = new(1);
    private readonly Lock gate = new();
    private readonly Dictionary<uint, TaskCompletionSource<DovecotAnswer>> waiting = [];
    private DovecotAnswer.Broken? end;
    private uint last;
    private long heard;

    /// <param name="patience">A request that waits so long, while nothing else is heard either, is the end of the connection.</param>
    /// <param name="whyDead">Asked after <see cref="Doubt"/>: why Dovecot is taken for dead; null where it lives. Never throws.</param>
    private DovecotConnection(Stream stream, TimeSpan patience, Func<Task<string?>> whyDead, TimeProvider clock)
    {
        (this.stream, this.patience, this.whyDead, this.clock) = (stream, patience, whyDead, clock);
        reader = new AuthLineReader(stream);
    }

    /// <summary>What it offers, in its order.</summary>
    public ImmutableArray<DovecotMechanism> Mechanisms { get; private set; } = [];

    /// <summary>Nothing can be asked any more.</summary>
    public bool IsOver
    {
        get
        {
            lock (gate)
                return end is not null || last > int.MaxValue;
        }
    }

    /// <summary>Says who this is and hears what is there; else why it cannot be asked, in words that hold no secret.</summary>
    /// <param name="stream">Its own from now on.</param>
    /// <param name="whyDead">Asked while a request waits long: why Dovecot is taken for dead; null where it lives. Never throws.</param>
    /// <exception cref="OperationCanceledException">Only by <paramref name="ct"/>.</exception>
    public static async ValueTask<(DovecotConnection? Connection, string? Why)> OpenAsync(
        Stream stream, TimeSpan patience, Func<Task<string?>> whyDead, TimeProvider clock, CancellationToken ct)
    {
        var connection = new DovecotConnection(stream, patience, whyDead, clock);
        string? why;
        try
        {
            why = await connection.ShakeHandsAsync(ct);
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        if (why is not null)
        {
            connection.Dispose();
            return (null, why);
        }

        _ = connection.ListenAsync();
        return (connection, null);
    }

    /// <summary>Begins an exchange.</summary>
    /// <param name="facts">Fields with a tab before each, as <see cref="DovecotFacts"/> writes them.</param>
    /// <param name="response">The client's first message; null for none. Stays the caller's.</param>
    /// <param name="request">Its number.</param>
    public ValueTask<DovecotAnswer> BeginAsync(
        string mechanism, string facts, ReadOnlyMemory<byte>? response, out uint request, CancellationToken ct)
    {
        lock (gate)
            request = ++last;
        var start = string.Create(CultureInfo.InvariantCulture, $"AUTH\t{request}\t{mechanism}{facts}");
        return response is not { } octets ? AskAsync(request, LineOf(start, default), ct)
            // Nothing behind "resp=" is no message; one without octets is "=".
            : octets.IsEmpty ? AskAsync(request, LineOf(start + "\tresp==", default), ct)
            : AskAsync(request, LineOf(start + "\tresp=", octets.Span), ct);
    }

    /// <summary>The client's next message, which Dovecot has asked for.</summary>
    public ValueTask<DovecotAnswer> ContinueAsync(uint request, ReadOnlyMemory<byte> response, CancellationToken ct) =>
        AskAsync(request, LineOf(string.Create(CultureInfo.InvariantCulture, $"CONT\t{request}\t"), response.Span), ct);

    /// <summary>Nobody wants to know any more.</summary>
    public void Cancel(uint request) => _ = WriteAsync(LineOf(string.Create(CultureInfo.InvariantCulture, $"CANCEL\t{request}"), default));

    /// <summary>Ends it; whoever waits is told why.</summary>
    public void End(string why, bool isLost = true)
    {
        TaskCompletionSource<DovecotAnswer>[] all;
        lock (gate)
        {
            if (end is not null)
                return;
            end = new DovecotAnswer.Broken(why, isLost);
            all = [.. waiting.Values];
            waiting.Clear();
        }

        ending.Cancel();
        stream.Dispose();
        foreach (var one in all)
            one.TrySetResult(end);
    }

    public void Dispose() => End("the configuration has changed");

    private static byte[] LineOf(string start, ReadOnlySpan<byte> data)
    {
        var length = Encoding.UTF8.GetByteCount(start);
        var line = new byte[length + Base64.GetMaxEncodedToUtf8Length(data.Length) + 1];
        Encoding.UTF8.GetBytes(start, line);
        Base64.EncodeToUtf8(data, line.AsSpan(length), out _, out _);
        line[^1] = (byte)'\n';
        return line;
    }

    private async ValueTask<string?> ShakeHandsAsync(CancellationToken ct)
    {
        // Of all connections to one service each says another number, and no number of a process may be 0.
        var hello = string.Create(
            CultureInfo.InvariantCulture, $"VERSION\t1\t1\nCPID\t{RandomNumberGenerator.GetInt32(1, int.MaxValue)}\n");
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(hello), ct);
            var handshake = new DovecotHandshake();
            while (await reader.ReadAsync(ct) is { } line)
            {
                if (handshake.Take(line.Span) is { } objection)
                    return objection;
                if (!handshake.IsOver)
                    continue;
                Mechanisms = handshake.Mechanisms;
                return null;
            }

            return reader.IsTooLong ? TooLong : "it ends the connection before it has said what it offers";
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return Unreachable.WhyNot(e) ?? "the connection broke";
        }
    }

    private async Task ListenAsync()
    {
        var (why, isLost) = ("it has ended the connection", true);
        try
        {
            while (await reader.ReadAsync(ending.Token) is { } line)
            {
                Interlocked.Increment(ref heard);
                if (Take(line.Span) is not { } objection)
                    continue;
                (why, isLost) = (objection, false);
                break;
            }

            if (reader.IsTooLong)
                (why, isLost) = (TooLong, false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            why = Unreachable.WhyNot(e) ?? "the connection broke";
        }

        End(why, isLost);
        reader.Wipe();
        ending.Dispose();
    }

    /// <summary>Takes one line; answers what is wrong with it, or null.</summary>
    private string? Take(ReadOnlySpan<byte> line)
    {
        var fields = new AuthFields(line);
        _ = fields.TryTake(out var word);
        var hasNumber = fields.TryTake(out var number);
        if (DovecotAnswer.Read(word, fields) is not { } answer)
            return "it says something that is no answer";
        if (!hasNumber || !AuthLine.TryId(number, out var request))
            return "it answers and does not say to which request";
        TaskCompletionSource<DovecotAnswer>? asker;
        lock (gate)
        {
            // What was given up may still be answered.
            if (!waiting.Remove(request, out asker) && (request > last || request == 0))
                return "it answers a request that nobody has made";
        }

        asker?.TrySetResult(answer);
        return null;
    }

    /// <param name="line">Wiped when it has been sent.</param>
    private async ValueTask<DovecotAnswer> AskAsync(uint request, byte[] line, CancellationToken ct)
    {
        if (line.Length > AuthLine.MaxOctets)
        {
            CryptographicOperations.ZeroMemory(line);
            return new DovecotAnswer.Broken("the client's message is longer than Dovecot takes");
        }

        var answer = new TaskCompletionSource<DovecotAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (end is { } over)
                return over;
            waiting[request] = answer;
        }

        var (begun, heardBefore) = (clock.GetTimestamp(), Interlocked.Read(ref heard));
        var waiter = DoubtingAsync(answer.Task, heardBefore, ct);
        _ = WriteAsync(line);
        try
        {
            return await waiter;
        }
        catch (OperationCanceledException)
        {
            lock (gate)
                waiting.Remove(request);
            // Timers are not exact to the tick.
            if (clock.GetElapsedTime(begun) >= patience * 0.9 && heardBefore == Interlocked.Read(ref heard))
                End("it does not answer");
            else
                Cancel(request);
            throw;
        }
    }

    /// <summary>
    /// Dovecot lets who fails wait for two seconds, so that it is silent says nothing. One that greets nobody who comes meanwhile is dead.
    /// </summary>
    private async Task<DovecotAnswer> DoubtingAsync(Task<DovecotAnswer> answer, long heardBefore, CancellationToken ct)
    {
        try
        {
            return await answer.WaitAsync(Doubt, clock, ct);
        }
        catch (TimeoutException) when (heardBefore == Interlocked.Read(ref heard))
        {
            var dead = whyDead();
            if (await Task.WhenAny(answer, dead).WaitAsync(ct) == dead && await dead is { } why)
                End(why, isLost: false);
        }
        catch (TimeoutException)
        {
            // Others are answered.
        }

        return await answer.WaitAsync(ct);
    }

    private async Task WriteAsync(byte[] line)
    {
        try
        {
            await turn.WaitAsync(ending.Token);
            try
            {
                await stream.WriteAsync(line, ending.Token);
            }
            finally
            {
                turn.Release();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            End(Unreachable.WhyNot(e) ?? "the connection broke");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
        }
    }
}
