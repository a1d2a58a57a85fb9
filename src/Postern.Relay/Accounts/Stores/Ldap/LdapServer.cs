using System.Net.Security;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// One server, and the connections that wait for the next question: those that are bound as this server and search, and those over which
/// users bind and nothing else is ever asked. So no search runs as a user.
/// </summary>
internal sealed class LdapServer(LdapAddress address, LdapSource source, TimeProvider clock) : IDisposable
{
    /// <summary>Shorter than what firewalls and servers take for idle.</summary>
    private static readonly TimeSpan MostIdle = TimeSpan.FromMinutes(2);

    private readonly Lock gate = new();
    private readonly Stack<LdapConnection> searching = new();
    private readonly Stack<LdapConnection> binding = new();
    private long? downSince;
    private bool isDisposed;

    public LdapAddress Address => address;

    /// <summary>It is not known to be down, or has been for long enough to be tried again, by whoever asks this first.</summary>
    public bool IsDue(TimeSpan rest)
    {
        lock (gate)
        {
            if (downSince is null)
                return true;
            if (clock.GetElapsedTime(downSince.Value) < rest)
                return false;
            downSince = clock.GetTimestamp();
            return true;
        }
    }

    public void Answered()
    {
        lock (gate)
            downSince = null;
    }

    /// <summary>It is gone, or does not answer: the connections that wait are not used any more.</summary>
    public void Failed()
    {
        lock (gate)
            downSince = clock.GetTimestamp();
        Clear();
    }

    /// <summary>Asks over a connection that is bound as this server.</summary>
    public Task<T> SearchAsync<T>(Func<LdapConnection, CancellationToken, Task<T>> ask, CancellationToken ct) =>
        AskAsync(searching, ask, ct);

    /// <summary>Binds as a user, over a connection for that.</summary>
    public Task<LdapResult> BindAsync(string name, ReadOnlyMemory<byte> password, CancellationToken ct) =>
        AskAsync(binding, (connection, end) => connection.BindAsync(name, password, end).AsTask(), ct);

    public void Dispose()
    {
        lock (gate)
            isDisposed = true;
        Clear();
    }

    private void Clear()
    {
        lock (gate)
        {
            foreach (var connection in searching.Concat(binding))
                connection.Dispose();
            searching.Clear();
            binding.Clear();
        }
    }

    private async Task<T> AskAsync<T>(
        Stack<LdapConnection> idle, Func<LdapConnection, CancellationToken, Task<T>> ask, CancellationToken ct)
    {
        if (Take(idle) is { } known)
        {
            try
            {
                return await UseAsync(idle, known, ask, ct);
            }
            catch (Exception e) when (e is IOException and not LdapFaultException && !ct.IsCancellationRequested)
            {
                // The server was started again, or has ended what was idle.
                Clear();
            }
        }

        return await UseAsync(idle, await OpenAsync(idle == searching, ct), ask, ct);
    }

    private async Task<T> UseAsync<T>(
        Stack<LdapConnection> idle, LdapConnection connection, Func<LdapConnection, CancellationToken, Task<T>> ask, CancellationToken ct)
    {
        try
        {
            return await ask(connection, ct);
        }
        finally
        {
            if (connection.IsBroken)
                connection.Dispose();
            else
                Return(idle, connection);
        }
    }

    private async Task<LdapConnection> OpenAsync(bool asThisServer, CancellationToken ct)
    {
        var connection = await LdapConnection.OpenAsync(address, source.Tls, Terms(), ct);
        try
        {
            if (!asThisServer || source.Bind is null)
                return connection;
            var result = await connection.BindAsync(source.Bind, Encoding.UTF8.GetBytes(source.Password!.Reveal()), ct);
            return result.IsSuccess
                ? connection
                : throw new LdapFaultException($"the bind as '{source.Bind}' is refused: {result.Reason}")
                {
                    IsOfQuestion = !result.IsOfServer,
                };
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The file of authorities is read for each connection: one that was put in its place counts at once.</summary>
    private SslClientAuthenticationOptions Terms()
    {
        try
        {
            return new SslClientAuthenticationOptions
            {
                TargetHost = address.Host,
                CertificateChainPolicy = source.Tls == LdapTls.None ? null : StoreTrust.Policy(source.Authorities),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new LdapFaultException($"ca: {e.Message}", e) { IsOfQuestion = true };
        }
    }

    private LdapConnection? Take(Stack<LdapConnection> idle)
    {
        lock (gate)
        {
            if (!idle.TryPop(out var connection))
                return null;
            if (clock.GetElapsedTime(connection.UsedAt) < MostIdle)
                return connection;
            // Those below it wait longer still.
            idle.Push(connection);
            foreach (var old in idle)
                old.Dispose();
            idle.Clear();
            return null;
        }
    }

    private void Return(Stack<LdapConnection> idle, LdapConnection connection)
    {
        lock (gate)
        {
            connection.UsedAt = clock.GetTimestamp();
            if (!isDisposed && idle.Count < source.Terms.MostQuestions)
                idle.Push(connection);
            else
                connection.Dispose();
        }
    }
}
