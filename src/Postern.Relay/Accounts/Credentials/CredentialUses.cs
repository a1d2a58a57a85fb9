using System.Collections.Concurrent;
using System.Net;
using Dapper;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Credentials;

/// <summary>
/// What becomes of the use of a credential of the directory: its time and place are noted, and one that is to belong to its first network
/// is bound to it. Notes are gathered in memory and written every few seconds and at the end: a login waits for none of it, and a crash
/// loses those seconds. A bond is made before the login has succeeded, once in the life of a credential, by a thread of its own.
/// </summary>
public sealed class CredentialUses : IDisposable
{
    private readonly SqliteDirectory directory;
    private readonly LastUseFile file;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim binding = new(1, 1);
    private readonly Lock writing = new();
    private readonly ITimer timer;
    private readonly ConcurrentDictionary<long, LastUse> gathered = new();
    private string? trouble;

    /// <param name="directory">Stays the caller's.</param>
    public CredentialUses(SqliteDirectory directory, LastUseFile file, IAuditLog audit, TimeProvider clock)
    {
        (this.directory, this.file, this.audit, this.clock) = (directory, file, audit, clock);
        timer = clock.CreateTimer(_ => Write(), state: null, Every, Every);
    }

    /// <summary>How often notes are written; what a crash loses.</summary>
    public static TimeSpan Every { get; } = TimeSpan.FromSeconds(5);

    /// <summary>A login is about to succeed by this credential. The credential need not be one of the directory.</summary>
    /// <returns>What is told in place of success: it belongs to another network by now, or that cannot be said. Null for success.</returns>
    public ValueTask<LoginAnswer?> UseAsync(string user, StoredCredential credential, LoginOrigin origin, CancellationToken ct)
    {
        if (credential.Number is not { } number)
            return default;
        if (credential.Limits.AwaitsFirstUse && origin.Client is { } client)
            return BindAsync(user, credential, number, client, origin, ct);
        Note(number, origin);
        return default;
    }

    /// <summary>Writes what was gathered. What fails is told once, and tried again.</summary>
    public void Write()
    {
        lock (writing)
        {
            if (gathered.IsEmpty)
                return;
            var batch = gathered.ToArray();
            try
            {
                file.Write(batch);
                trouble = null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (trouble != e.Message)
                    audit.Append(new ServerEvent(clock.GetUtcNow(), "last_use_not_kept", $"{file.Path}: {e.Message}"));
                trouble = e.Message;
                return;
            }

            foreach (var written in batch)
                gathered.TryRemove(written); // unless it was used again meanwhile
        }
    }

    public void Dispose()
    {
        timer.Dispose();
        Write();
        binding.Dispose();
    }

    private void Note(long number, LoginOrigin origin) =>
        gathered[number] = new LastUse(clock.GetUtcNow(), origin.Client?.ToString(), origin.Listener);

    private async ValueTask<LoginAnswer?> BindAsync(
        string user, StoredCredential credential, long number, IPAddress client, LoginOrigin origin, CancellationToken ct)
    {
        var device = CredentialLimits.DeviceOf(client);
        string? bound;
        // One at a time: a client that comes a thousand times at once must not have a thousand threads.
        await binding.WaitAsync(ct);
        try
        {
            // The database may be locked, and nobody of the pool may wait for it.
            bound = await Task.Factory.StartNew(
                () => Bind(user, credential, number, device),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }
        catch (DirectoryUnavailableException e)
        {
            return new LoginAnswer.Unavailable(e.Message);
        }
        finally
        {
            binding.Release();
        }

        if (bound is null)
            return new LoginAnswer.NoMatch($"the credential {credential.Said} is there no more", UserExists: true);
        if (!IPNetwork.TryParse(bound, out var network) || !network.Contains(client))
            return new LoginAnswer.NoMatch(
                $"the credential {credential.Said} belongs to {bound}, where it was used first, and not to {client}", UserExists: true)
            {
                Credential = credential.Id,
            };
        Note(number, origin);
        return null;
    }

    /// <summary>The network that it belongs to from now on: this one, or that of somebody who was faster; null where it is gone.</summary>
    private string? Bind(string user, StoredCredential credential, long number, IPNetwork device)
    {
        var now = clock.GetUtcNow();
        var (isNew, bound) = directory.Write(sql =>
        {
            var changed = sql.Execute(
                """
                update credentials set bound_network = @network, bound_at = @at
                where id = @number and first_network <> 0 and bound_network is null
                """,
                new { number, network = device.ToString(), at = now.ToUnixTimeMilliseconds() });
            // Where it is not to be bound any more, it may be used from here as well.
            return (changed > 0, sql.QuerySingleOrDefault<string>(
                "select case first_network when 0 then @network else bound_network end from credentials where id = @number",
                new { number, network = device.ToString() }));
        });
        if (isNew)
            audit.Append(new AdminEvent(now, "postern", "credential bound", $"{user}: {credential.Said}")
            {
                Changes = [new AdminChange("network", Before: null, device.ToString())],
            });
        return bound;
    }
}
