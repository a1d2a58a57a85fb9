using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery.Logins;
using Postern.Relay.Delivery.Places;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// Where messages of one destination go next. A value: equal hops share a queue, connections and limits, also those of two readings of the
/// same configuration. A login is equal by its user and its secrets, trusted certificates by their content.
/// </summary>
public abstract record NextHop
{
    private NextHop()
    {
    }

    /// <summary>The name for logs and the queue listing.</summary>
    public abstract string Name { get; }

    /// <summary>The address of this machine that connections come from; null for the system's choice.</summary>
    public IPAddress? Bind { get; init; }

    /// <summary>What this server calls itself in EHLO there; null for its own name.</summary>
    public Domain? Hello { get; init; }

    /// <summary>The route that led here, where something is said about that route alone; null elsewhere.</summary>
    public string? Route { get; init; }

    /// <summary>The pool that each connection takes its address and its name from; null for none.</summary>
    public string? Pool { get; init; }

    /// <summary>Hosts the operator named, tried in this order: any address, any port.</summary>
    public sealed record SmartHost : NextHop
    {
        /// <summary>What <see cref="InFlight"/> is where nobody says.</summary>
        public const int DefaultInFlight = 8;

        /// <summary>The most that it may be.</summary>
        public const int MostInFlight = 16;

        /// <param name="servers">At least one; each is asked when those before it cannot be spoken to, or put a recipient off.</param>
        public SmartHost(ImmutableArray<Server> servers)
        {
            ArgumentOutOfRangeException.ThrowIfZero(servers.Length);
            Servers = servers;
        }

        public SmartHost(string host, int port, ClientTls tls)
            : this([new Server(host, port, tls)])
        {
        }

        public ImmutableArray<Server> Servers { get; }

        /// <summary>Made on every connection before mail; null for none. No connection serves two logins.</summary>
        public ClientLogin? Login { get; init; }

        /// <summary>Where the access token of <see cref="Login"/> comes from; null where it needs none, or has one.</summary>
        public TokenGrant? Grant { get; init; }

        /// <summary>Shown in the TLS handshake, with its private key; null for none. Not to be changed.</summary>
        public X509Certificate2? Certificate { get; init; }

        /// <summary>
        /// How many messages may be on their way at a time on one connection, where its server is far and takes chunks (RFC 3030); 1: one
        /// after another.
        /// </summary>
        public int InFlight { get; init; } = DefaultInFlight;

        /// <summary>
        /// They may call themselves by this server's own name and are others: a filter, or another program on this machine.
        /// </summary>
        public bool MayHaveOurName { get; init; }

        /// <summary>
        /// They are the operator's own, and are told whose mail they are given: each message then goes after the one before it.
        /// </summary>
        public ClientForward Forward { get; init; }

        /// <summary>What their certificates are verified against; null for the system's trusted roots. Not to be changed.</summary>
        public X509Certificate2Collection? Trusted { get; init; }

        public override string Name => Servers.Length == 1 ? Servers[0].Name : string.Join(", ", Servers.Select(static s => s.Name));

        public bool Equals(SmartHost? other) => ReferenceEquals(this, other) || (base.Equals(other)
            && MayHaveOurName == other.MayHaveOurName
            && InFlight == other.InFlight
            && Forward == other.Forward
            && Servers.AsSpan().SequenceEqual(other.Servers.AsSpan())
            && EqualityComparer<ClientLogin?>.Default.Equals(Login, other.Login)
            && EqualityComparer<TokenGrant?>.Default.Equals(Grant, other.Grant)
            && string.Equals(Certificate?.Thumbprint, other.Certificate?.Thumbprint, StringComparison.Ordinal)
            && IsSame(Trusted, other.Trusted));

        public override int GetHashCode() => HashCode.Combine(Servers[0], Servers.Length);

        public override string ToString() => Name;

        private static bool IsSame(X509Certificate2Collection? one, X509Certificate2Collection? other) =>
            ReferenceEquals(one, other) || (one is not null && other is not null
            && one.Count == other.Count
            && one.Zip(other).All(static pair => pair.First.RawDataMemory.Span.SequenceEqual(pair.Second.RawDataMemory.Span)));
    }

    /// <summary>The mail exchangers of the recipient's domain (RFC 5321 §5.1), or the address of an address literal.</summary>
    public sealed record MailExchanger(Domain Domain) : NextHop
    {
        /// <summary>What goes there goes whatever its TLS comes to (<see cref="Envelopes.Envelope.IsTlsOptional"/>).</summary>
        public bool IsTlsOptional { get; init; }

        /// <summary>What the domain publishes about TLS does not count (<see cref="Envelopes.Envelope.IsTlsWaived"/>).</summary>
        public bool IsTlsWaived { get; init; }

        /// <summary>Who takes the mail when none of them could be spoken to for a while; null for nobody.</summary>
        public SmartHost? Fallback { get; init; }

        /// <summary>How long that while is.</summary>
        public TimeSpan FallbackAfter { get; init; }

        public override string Name => Domain.Text;

        public override string ToString() => Name;
    }

    /// <summary>Where mail goes without a server that is spoken to.</summary>
    public sealed record Elsewhere : NextHop
    {
        internal Elsewhere(IHopPlace place) => Place = place;

        internal IHopPlace Place { get; }

        public override string Name => Place.Name;

        public override string ToString() => Name;
    }

    /// <summary>One of the hosts that an operator named.</summary>
    /// <param name="Host">A host name or an address without brackets; of a socket its path.</param>
    public sealed record Server(string Host, int Port, ClientTls Tls)
    {
        /// <summary>It speaks LMTP (RFC 2033), which is for the server that has the mailboxes.</summary>
        public bool IsLmtp { get; init; }

        /// <summary>How <see cref="Host"/> leads to servers.</summary>
        public ServerLookup Lookup { get; init; }

        /// <summary>Its part of the connections among servers that have one, which are then asked in no order; 0 for none.</summary>
        public int Weight { get; init; }

        /// <summary>The path of its Unix socket; null where it is reached over TCP.</summary>
        public string? Socket { get; init; }

        /// <summary><c>host:port</c>, an IPv6 address in brackets; <c>unix:/path</c>.</summary>
        public string Name => Socket is not null ? $"unix:{Socket}"
            : Lookup == ServerLookup.Mx ? $"mx of {Host}"
            : Lookup == ServerLookup.Srv ? $"srv of {Host}"
            : Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}"
            : $"{Host}:{Port}";

        public override string ToString() => Name;
    }
}

/// <summary>What the name of a server is.</summary>
public enum ServerLookup
{
    /// <summary>That of a host.</summary>
    Address,

    /// <summary>Of a domain whose mail exchangers are the servers.</summary>
    Mx,

    /// <summary>Of a domain that names its submission servers (RFC 6186, RFC 8314 §5.1).</summary>
    Srv,
}
