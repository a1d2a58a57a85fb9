using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Devices;
using Postern.Relay.Policy.Own;
using Postern.Relay.Policy.Tenants;
using Postern.Relay.Policy.Limits;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>The policy's part of the configuration. The default trusts nobody, loopback included.</summary>
public sealed record PolicyOptions
{
    /// <summary>The bits of an IPv4-mapped IPv6 address before the IPv4 address (RFC 4291 §2.5.5.2).</summary>
    private const int MappedPrefix = 96;

    private readonly ImmutableArray<IPNetwork> networks = [];
    private NetworkTable<bool>? trusted;

    /// <summary>
    /// Clients that may relay to anywhere without a password, as any sender. A network in IPv4-mapped form counts as IPv4.
    /// </summary>
    public ImmutableArray<IPNetwork> Networks
    {
        get => networks;
        init => (networks, trusted) = ([.. value.Select(Unmap)], null);
    }

    /// <summary>The same, to find an address in.</summary>
    internal NetworkTable<bool> Trusted => trusted ??= new NetworkTable<bool>(networks.Select(static network => (network, true)));

    /// <summary>
    /// Files with more of them (<see cref="Access.NetworkFile"/>), absolute, read again when they change. While one could never be read
    /// nobody knows who is trusted: rules that ask answer by their <c>on_error</c>.
    /// </summary>
    public ImmutableArray<string> NetworkFiles { get; init; } = [];

    /// <summary>The id of the configuration that says all this; it stands in every decision. Null where there is none.</summary>
    public string? Configuration { get; init; }

    /// <summary>Domains whose recipients are accepted from anyone, beside those of the directory.</summary>
    public FrozenSet<Domain> Domains { get; init; } = [];

    /// <summary>Whose mail is which tenant's, and what it may be.</summary>
    public TenantTable Tenants { get; init; } = TenantTable.Empty;

    /// <summary>What printers, scanners and the like may send, by rules of their own.</summary>
    public DeviceTable Devices { get; init; } = DeviceTable.Empty;

    /// <summary>Which addresses lead to the senders of mail that was forwarded from here; null where none do.</summary>
    public Srs? Srs { get; init; }

    /// <summary>What is said of recipients beside the accounts; null where nothing is.</summary>
    public IListedRecipients? Recipients { get; init; }

    /// <summary>Rules that are classes of the program; their words may stand in the lists.</summary>
    public ImmutableArray<IOwnRule> Own { get; init; } = [];

    /// <summary>
    /// Asked at MAIL, first (<see cref="RuleStage"/>); each word one that <see cref="RelayRules.Check"/> knows for its stage.
    /// </summary>
    public ImmutableArray<RuleEntry> ClientRules { get; init; } = [];

    /// <summary>Asked at MAIL, second.</summary>
    public ImmutableArray<RuleEntry> HeloRules { get; init; } = [];

    /// <summary>Asked at MAIL, in order.</summary>
    public ImmutableArray<RuleEntry> SenderRules { get; init; } = ["reject_unlisted_domain", "reject_sender_login_mismatch"];

    /// <summary>Asked at RCPT, in order. The end of the list refuses.</summary>
    public ImmutableArray<RuleEntry> RecipientRules { get; init; } =
        ["permit_networks", "permit_authenticated", "permit_network_for_domain", "reject_unauth_destination"];

    /// <summary>Asked when the header section of the message is whole.</summary>
    public ImmutableArray<RuleEntry> MessageRules { get; init; } = [];

    /// <summary>Lists that any list may ask as if they were rules, by name; no rule is called so.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> Classes { get; init; } =
        ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>>.Empty;

    /// <summary>What logins, clients and domains may use, whatever the lists say.</summary>
    public LimitTable Limits { get; init; } = LimitTable.None;

    /// <summary>How long one rule may look things up before it counts as one that cannot say.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    private static IPNetwork Unmap(IPNetwork network) =>
        network.BaseAddress is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: true } mapped
            && network.PrefixLength >= MappedPrefix
            ? new IPNetwork(mapped.MapToIPv4(), network.PrefixLength - MappedPrefix)
            : network;
}
