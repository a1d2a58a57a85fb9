using System.Collections.Immutable;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// The server of an entry and its replicas. One that does not answer is asked last for a while; each but the last has its share of the
/// time that a question may take.
/// </summary>
internal sealed class LdapServers(LdapSource source, TimeProvider clock) : IDisposable
{
    /// <summary>So long are others asked first. Then one question tries it again, while the others still go elsewhere.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    private readonly ImmutableArray<LdapServer> servers =
        [.. source.Replicas.Items.Prepend(source.Address!).Select(address => new LdapServer(address, source, clock))];

    /// <exception cref="LdapFaultException">There is no answer; the message says why not, for the audit trail.</exception>
    public async Task<T> AskAsync<T>(Func<LdapServer, CancellationToken, Task<T>> ask, CancellationToken ct)
    {
        var reasons = new List<string>(servers.Length);
        foreach (var server in InOrder())
        {
            var begun = clock.GetTimestamp();
            var isLast = reasons.Count == servers.Length - 1;
            using var share = new CancellationTokenSource(isLast ? Timeout.InfiniteTimeSpan : source.Terms.Timeout / servers.Length, clock);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, share.Token);
            try
            {
                var answer = await ask(server, end.Token);
                server.Answered();
                return answer;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                // Nobody waits any more: because it took too long, or because the client left.
                if (clock.GetElapsedTime(begun) >= source.Terms.Timeout * 0.9)
                    server.Failed();
                throw;
            }
            catch (OperationCanceledException) when (share.IsCancellationRequested)
            {
                server.Failed();
                reasons.Add(Said(server, "it does not answer"));
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is SocketException or IOException or AuthenticationException)
            {
                if (e is LdapFaultException { IsOfQuestion: true })
                    throw new LdapFaultException(Said(server, e.Message), e);
                server.Failed();
                reasons.Add(Said(server, WhyNot(e)));
            }
        }

        throw new LdapFaultException(string.Join("; ", reasons));
    }

    public void Dispose()
    {
        foreach (var server in servers)
            server.Dispose();
    }

    private LdapServer[] InOrder()
    {
        if (servers.Length == 1)
            return [servers[0]];
        var due = servers.Where(static server => server.IsDue(Rest)).ToList();
        return [.. due, .. servers.Except(due)];
    }

    private string Said(LdapServer server, string reason) => servers.Length == 1 ? reason : $"{server.Address}: {reason}";

    private static string WhyNot(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException)
                return $"TLS: {cause.Message}";
            if (cause is SocketException)
                return $"it cannot be reached: {cause.Message}";
            if (cause is LdapFaultException)
                return cause.Message;
        }

        return "the connection ended";
    }
}
