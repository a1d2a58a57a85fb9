using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>
/// Keeps one connection to a Dovecot, for all who ask at a time. One that has ended is followed by another when somebody asks.
/// </summary>
internal sealed class DovecotServer(DovecotSource source, TimeProvider clock) : IDisposable
{
    public const string HowToMakeIt =
        "Dovecot runs, and its 'service auth' has 'unix_listener auth-client' with a mode or group that lets this server in";

    /// <summary>How often it is tried again to reach one that nobody has asked for.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    /// <summary>
    /// It says what it offers at once, whatever it lets those wait for who fail. With the wait before it less than two seconds.
    /// </summary>
    private static readonly TimeSpan Greeting = TimeSpan.FromMilliseconds(900);

    private const string Silent = "it takes the connection and says nothing";

    private readonly Lock gate = new();
    private DovecotConnection? current;
    private Task<(DovecotConnection? Connection, string? Why)>? opening;
    private Task<string?>? greeting;
    private ImmutableArray<string> offered = [];
    private long? lookedAt;
    private bool isDisposed;

    private TimeSpan OpensWithin => source.Terms.Timeout < Greeting * 2 ? source.Terms.Timeout : Greeting * 2;

    /// <summary>The mechanisms that clients may use there, by what it has said last.</summary>
    public ImmutableArray<string> Offered
    {
        get
        {
            lock (gate)
                return offered;
        }
    }

    /// <summary>The one that is open, else a new one; else why there is none.</summary>
    public async ValueTask<(DovecotConnection? Connection, string? Why)> ConnectAsync(CancellationToken ct)
    {
        Task<(DovecotConnection? Connection, string? Why)> asked;
        lock (gate)
        {
            if (current is { IsOver: false } open)
                return (open, null);
            if (isDisposed)
                return (null, "the configuration has changed");
            asked = opening ??= OpenAsync(new CancellationTokenSource(OpensWithin, clock));
        }

        return await asked.WaitAsync(ct);
    }

    /// <summary>Opens a connection where none is, in the background, and not again and again.</summary>
    public void Look()
    {
        lock (gate)
        {
            if (isDisposed
                || current is { IsOver: false }
                || opening is not null
                || (lookedAt is { } at && clock.GetElapsedTime(at) < LookAgain))
                return;
            lookedAt = clock.GetTimestamp();
            opening = OpenAsync(new CancellationTokenSource(OpensWithin, clock));
        }
    }

    public void Dispose()
    {
        DovecotConnection? open;
        lock (gate)
        {
            isDisposed = true;
            open = current;
            current = null;
        }

        open?.Dispose();
    }

    /// <summary>For all who wait for it: it ends at its own time, whoever of them leaves.</summary>
    private async Task<(DovecotConnection? Connection, string? Why)> OpenAsync(CancellationTokenSource end)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        DovecotConnection? connection = null;
        string? why = null;
        try
        {
            (connection, why) = await DialAsync(end.Token);
        }
        catch (OperationCanceledException)
        {
            why = string.Create(
                CultureInfo.InvariantCulture,
                $"no answer within {OpensWithin.TotalSeconds:0.###} s: {Silent}");
        }
        catch (SocketException e)
        {
            why = WhyNot(e);
        }
        finally
        {
            lock (gate)
            {
                opening = null;
                if (connection is not null)
                    offered = [.. connection.Mechanisms.Where(IsForClients).Select(static m => m.Name)];
                if (!isDisposed)
                    current = connection;
                else
                    connection?.Dispose();
            }

            end.Dispose();
        }

        return (connection, why);
    }

    private async ValueTask<(DovecotConnection? Connection, string? Why)> DialAsync(CancellationToken ct)
    {
        var place = source.ToEndPoint();
        var socket = place is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(place, ct);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return await DovecotConnection.OpenAsync(
            new NetworkStream(socket, ownsSocket: true), source.Terms.Timeout, WhyDeadAsync, clock, ct);
    }

    /// <summary>Sees whether it greets another connection; once for all who ask at a time.</summary>
    private Task<string?> WhyDeadAsync()
    {
        lock (gate)
            return isDisposed ? Task.FromResult<string?>(null) : greeting ??= GreetAsync();
    }

    private async Task<string?> GreetAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var end = new CancellationTokenSource(Greeting, clock);
        try
        {
            var (connection, why) = await DialAsync(end.Token);
            connection?.Dispose();
            return why;
        }
        catch (OperationCanceledException)
        {
            return $"it answers nothing, and {Silent} on another";
        }
        catch (SocketException e)
        {
            return WhyNot(e);
        }
        finally
        {
            lock (gate)
                greeting = null;
        }
    }

    private static bool IsForClients(DovecotMechanism mechanism) =>
        !mechanism.IsPrivate
        && !mechanism.IsAnonymous
        && mechanism.Name is not ("PLAIN" or "LOGIN" or "EXTERNAL" or "ANONYMOUS")
        && !mechanism.Name.EndsWith("-PLUS", StringComparison.Ordinal);

    private string WhyNot(SocketException e) => (source.Path, e.SocketErrorCode) switch
    {
        ({ } path, _) when !File.Exists(path) => $"there is no {path}: see that {HowToMakeIt}",
        ({ } path, SocketError.AccessDenied) =>
            $"this server may not open {path}: give the socket to its group, in Dovecot's 'unix_listener auth-client'",
        ({ } path, SocketError.ConnectionRefused) => $"nobody listens at {path}: Dovecot is not running",
        _ => $"it cannot be reached: {e.Message}",
    };
}
