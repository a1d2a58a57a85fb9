using System.Net;
using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Policy;

/// <summary>A directory that a test fills by hand.</summary>
internal sealed class FakeDirectory : IDirectory
{
    private readonly Dictionary<string, Account> accounts = [];
    private readonly List<(IPNetwork Network, Domain Domain)> networks = [];
    private readonly HashSet<Domain> listed = [];
    private readonly HashSet<Domain> accepting = [];

    public bool IsUnavailable { get; set; }

    public FakeDirectory Add(string name, string[]? addresses = null, string[]? domains = null, bool enabled = true)
    {
        accounts[name] = new Account(name, enabled, [.. addresses ?? []], [.. domains ?? []]);
        return this;
    }

    public void Remove(string name) => accounts.Remove(name);

    public FakeDirectory List(string domain, bool accept = false)
    {
        listed.Add(Domain.Parse(domain));
        if (accept)
            accepting.Add(Domain.Parse(domain));
        return this;
    }

    public FakeDirectory Allow(string network, string domain)
    {
        networks.Add((IPNetwork.Parse(network), Domain.Parse(domain)));
        return this;
    }

    public ValueTask<Account?> FindAccountAsync(string name, CancellationToken ct) => Ask(() => accounts.GetValueOrDefault(name));

    public ValueTask<string?> FindOwnerAsync(Mailbox address, CancellationToken ct) =>
        Ask(() => accounts.Values.FirstOrDefault(a => a.Addresses.Contains(address.Canonical))?.Name);

    public ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct) => Ask(() => listed.Contains(domain));

    public ValueTask<bool> AcceptsRecipientsAsync(Domain domain, CancellationToken ct) => Ask(() => accepting.Contains(domain));

    public ValueTask<IPNetwork?> FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct) =>
        Ask<IPNetwork?>(() => networks.FirstOrDefault(n => n.Domain.Equals(domain) && n.Network.Contains(client)) is { Domain: not null } found ? found.Network : null);

    /// <summary>Waits with every answer, as one that is asked over a network.</summary>
    public bool IsFar { get; set; }

    private async ValueTask<T> Ask<T>(Func<T> answer)
    {
        if (IsFar)
            await Task.Yield();
        return IsUnavailable ? throw new DirectoryUnavailableException("directory.db: database is locked") : answer();
    }
}
