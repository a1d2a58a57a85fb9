using System.Diagnostics.CodeAnalysis;
using Postern.Smtp.Client;

namespace Postern.Relay.Accounts.Stores.Upstream;

/// <summary>
/// Sessions that are greeted and encrypted, and in which nobody is logged in, so that a login costs the way to the server and back and not
/// four of them. A login binds its session: it is never used again. While logins come one after another, the next session is opened before
/// it is asked for.
/// </summary>
internal sealed class ReadyConnections(UpstreamServer server, TimeSpan patience, TimeProvider clock) : IDisposable
{
    /// <summary>So many wait at most.</summary>
    public const int Most = 4;

    /// <summary>So many wrong passwords are tried on one: servers make each further one wait longer.</summary>
    public const int MostFailures = 3;

    /// <summary>Servers close what is silent for some minutes; whoever looks at them wants to see it gone sooner.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly Stack<ReadyConnection> waiting = [];
    private ITimer? sweeping;
    private long? takenAt;
    private int opening;
    private bool isClosed;

    /// <summary>Those that wait.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return waiting.Count;
        }
    }

    /// <summary>One that waits, else a new one; else why there is none.</summary>
    /// <param name="isNew">It must be a new one.</param>
    public async ValueTask<(ReadyConnection? Connection, string? Why)> TakeAsync(bool isNew, CancellationToken ct)
    {
        var ready = Take(isNew, out var prepares);
        if (prepares)
            _ = PrepareAsync();
        if (ready is not null)
            return (ready, null);
        var (dialogue, why) = await server.OpenAsync(ct);
        return (dialogue is null ? null : new ReadyConnection(dialogue), why);
    }

    /// <summary>A session after a login that failed: it waits for another, or ends.</summary>
    public void GiveBack(ReadyConnection connection)
    {
        if (!connection.Dialogue.IsOpen || connection.Failures >= MostFailures || !TryKeep(connection))
            _ = UpstreamServer.EndAsync(connection.Dialogue);
    }

    /// <summary>Ends those that wait: the server may have forgotten them.</summary>
    public void Clear()
    {
        ReadyConnection[] all;
        lock (gate)
        {
            all = [.. waiting];
            waiting.Clear();
        }

        foreach (var one in all)
            _ = UpstreamServer.EndAsync(one.Dialogue);
    }

    public void Dispose()
    {
        lock (gate)
            isClosed = true;
        sweeping?.Dispose();
        Clear();
    }

    private ReadyConnection? Take(bool isNew, out bool prepares)
    {
        lock (gate)
        {
            var isOneAfterAnother = takenAt is { } before && clock.GetElapsedTime(before) < KeptFor;
            takenAt = clock.GetTimestamp();
            ReadyConnection? found = null;
            if (!isNew && waiting.TryPeek(out var newest) && clock.GetElapsedTime(newest.Since) < KeptFor)
                found = waiting.Pop();
            prepares = isOneAfterAnother && !isClosed && waiting.Count + opening < Most;
            if (prepares)
                opening++;
            return found;
        }
    }

    private bool TryKeep(ReadyConnection connection)
    {
        lock (gate)
        {
            if (isClosed || waiting.Count >= Most)
                return false;
            connection.Wait(clock.GetTimestamp());
            waiting.Push(connection);
            sweeping ??= clock.CreateTimer(static state => ((ReadyConnections)state!).Sweep(), this, KeptFor, KeptFor);
            return true;
        }
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "The login that needs it is told.")]
    private async Task PrepareAsync()
    {
        SmtpClientDialogue? dialogue = null;
        try
        {
            using var end = new CancellationTokenSource(patience, clock);
            (dialogue, _) = await server.OpenAsync(end.Token);
        }
        catch (Exception)
        {
            // It was for later.
        }
        finally
        {
            lock (gate)
                opening--;
        }

        if (dialogue is not null)
            GiveBack(new ReadyConnection(dialogue));
    }

    private void Sweep()
    {
        List<ReadyConnection> old = [];
        lock (gate)
        {
            ReadyConnection[] all = [.. waiting.Reverse()];
            waiting.Clear();
            foreach (var one in all)
            {
                if (clock.GetElapsedTime(one.Since) < KeptFor)
                    waiting.Push(one);
                else
                    old.Add(one);
            }
        }

        foreach (var one in old)
            _ = UpstreamServer.EndAsync(one.Dialogue);
    }
}

/// <summary>A session in which nobody is logged in yet.</summary>
internal sealed class ReadyConnection(SmtpClientDialogue dialogue)
{
    public SmtpClientDialogue Dialogue => dialogue;

    /// <summary>Wrong passwords that were tried on it.</summary>
    public int Failures { get; set; }

    /// <summary>It was kept for this login, so that the server may have ended it meanwhile.</summary>
    public bool HasWaited { get; private set; }

    /// <summary>A timestamp of when it began to wait.</summary>
    public long Since { get; private set; }

    public void Wait(long now) => (HasWaited, Since) = (true, now);
}
