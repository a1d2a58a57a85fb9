using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Credentials;

/// <summary>Where a credential may be used and as whom it may send: never more than its account may. Immutable.</summary>
public sealed record CredentialLimits
{
    private const int V4Device = 32;
    private const int V6Device = 64;

    /// <summary>As the account itself.</summary>
    public static CredentialLimits None { get; } = new();

    /// <summary>Names of listeners; empty for all.</summary>
    public ImmutableArray<string> Listeners { get; init; } = [];

    /// <summary>Networks of clients; empty for all.</summary>
    public ImmutableArray<IPNetwork> Networks { get; init; } = [];

    /// <summary>
    /// Envelope senders: an address in its canonical form, or <c>@</c> and a domain; empty for all that the account may have.
    /// </summary>
    public ImmutableArray<string> Senders { get; init; } = [];

    /// <summary>It belongs to the network from which it is used first.</summary>
    public bool IsFirstNetwork { get; init; }

    /// <summary>That network; null before the first use.</summary>
    public IPNetwork? Bound { get; init; }

    /// <summary>Nothing is limited.</summary>
    public bool IsNone => Listeners.IsEmpty && Networks.IsEmpty && Senders.IsEmpty && !IsFirstNetwork;

    /// <summary>The next use decides to which network it belongs.</summary>
    public bool AwaitsFirstUse => IsFirstNetwork && Bound is null;

    /// <summary>What one device has: its IPv4 address, or its IPv6 /64.</summary>
    /// <param name="client">IPv4-mapped addresses count as IPv4.</param>
    public static IPNetwork DeviceOf(IPAddress client)
    {
        if (client.IsIPv4MappedToIPv6)
            client = client.MapToIPv4();
        if (client.AddressFamily == AddressFamily.InterNetwork)
            return new IPNetwork(client, V4Device);
        var octets = client.GetAddressBytes();
        octets.AsSpan(V6Device / 8).Clear();
        return new IPNetwork(new IPAddress(octets), V6Device);
    }

    /// <summary>Why it may not be used from there, as the end of a sentence about the credential; null where it may.</summary>
    public string? WhyNot(LoginOrigin origin)
    {
        if (!Listeners.IsEmpty && !Listeners.Any(name => string.Equals(name, origin.Listener, StringComparison.OrdinalIgnoreCase)))
            return $"may be used on {string.Join(" and ", Listeners)}, and "
                + (origin.Listener is { } listener ? $"not on {listener}" : "nobody says which listener this is");
        if (Networks.IsEmpty && !IsFirstNetwork)
            return null;
        if (origin.Client is not { } client)
            return "is limited to networks, and the client has no address";
        if (Bound is { } bound && IsFirstNetwork && !bound.Contains(client))
            return $"belongs to {bound}, where it was used first, and not to {client}";
        return Networks.IsEmpty || Networks.Any(network => network.Contains(client))
            ? null
            : $"may be used from {string.Join(" and ", Networks)}, and not from {client}";
    }

    /// <summary>The sender is among those to which it is limited. What the account may is another question.</summary>
    public bool MaySendAs(Mailbox sender)
    {
        foreach (var allowed in Senders)
        {
            var isOne = allowed[0] == '@'
                ? allowed.AsSpan(1).Equals(sender.Domain.Text, StringComparison.OrdinalIgnoreCase)
                : string.Equals(allowed, sender.Canonical, StringComparison.OrdinalIgnoreCase);
            if (isOne)
                return true;
        }

        return Senders.IsEmpty;
    }

    /// <summary>What is limited, each in one part of a sentence; nothing where nothing is.</summary>
    public ImmutableArray<string> Say()
    {
        var words = ImmutableArray.CreateBuilder<string>();
        if (!Listeners.IsEmpty)
            words.Add($"on {string.Join(" and ", Listeners)}");
        if (!Networks.IsEmpty)
            words.Add($"from {string.Join(" and ", Networks)}");
        if (IsFirstNetwork)
            words.Add(Bound is { } bound ? $"from its first network {bound}" : "from the network that uses it first");
        if (!Senders.IsEmpty)
            words.Add($"as {string.Join(" and ", Senders)}");
        return words.ToImmutable();
    }

    /// <summary>As <see cref="Say"/> has it; empty where nothing is limited.</summary>
    public override string ToString() => string.Join(", ", Say());
}
