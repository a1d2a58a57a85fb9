using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Audit;

/// <summary>Which events a search is for. What is null or default does not narrow it.</summary>
public sealed record AuditQuery
{
    public AuditKind Kinds { get; init; } = AuditKind.All;

    /// <summary>At this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The envelope's sender (<see cref="AddressPattern"/>). Deliveries and bounces are those of such messages.</summary>
    public string? Sender { get; init; }

    /// <summary>A recipient (<see cref="AddressPattern"/>).</summary>
    public string? Recipient { get; init; }

    /// <summary>The domain of the sender or of a recipient.</summary>
    public string? Domain { get; init; }

    /// <summary>With or without its angle brackets. Deliveries and bounces are those of such messages.</summary>
    public string? MessageId { get; init; }

    /// <summary>
    /// What it came to, in the word of the event: delivered, deferred, failed, accepted, refused, bounce; ok, permit and so on.
    /// </summary>
    public string? Outcome { get; init; }

    /// <summary>One of these outcomes; empty for any.</summary>
    public ImmutableArray<string> AnyOutcome { get; init; } = [];

    /// <summary>The rule that decided.</summary>
    public string? Rule { get; init; }

    /// <summary>The route of a delivery, as it is configured.</summary>
    public string? Route { get; init; }

    /// <summary>Of the account. Deliveries and bounces are those of messages that such an account gave.</summary>
    public string? Tenant { get; init; }

    /// <summary>Why a delivery failed or was deferred, in the word of the event.</summary>
    public string? Category { get; init; }

    /// <summary>The number of a credential of the directory, <c>#7</c>.</summary>
    public string? Credential { get; init; }

    /// <summary>
    /// The user or the identity acted as, in any case. Deliveries and bounces are those of messages that such a login gave.
    /// </summary>
    public string? Login { get; init; }

    /// <summary>Clients in this network; one address is a network of full length (<see cref="NetworkOf"/>).</summary>
    public IPNetwork? Client { get; init; }

    /// <summary>The reference of a decision, as recorded.</summary>
    public string? Ref { get; init; }

    /// <summary>The message, in any case.</summary>
    public string? QueueId { get; init; }

    public string? Session { get; init; }

    /// <summary>The most events to return.</summary>
    public int Limit { get; init; } = int.MaxValue;

    /// <summary>Reads an address or a network in CIDR notation; null for anything else. IPv4-mapped addresses count as IPv4.</summary>
    public static IPNetwork? NetworkOf(string text)
    {
        if (IPNetwork.TryParse(text, out var network))
            return network;
        if (!IPAddress.TryParse(text, out var address))
            return null;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return new IPNetwork(address, address.GetAddressBytes().Length * 8);
    }
}
