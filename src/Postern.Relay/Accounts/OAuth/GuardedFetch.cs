using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// The one way by which anything is fetched over HTTP. It follows no redirect, asks no proxy, downloads nothing for a certificate, and
/// connects only to an address that it has looked at: a name must not lead to this very machine or its link, which an operator means by an
/// address or <c>localhost</c>. Private networks are allowed: identity providers live there.
/// </summary>
internal static class GuardedFetch
{
    private static readonly (IPNetwork Network, string Name)[] Refused =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "this network"),
        (IPNetwork.Parse("127.0.0.0/8"), "loopback"),
        (IPNetwork.Parse("169.254.0.0/16"), "link-local"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("240.0.0.0/4"), "reserved"),
        (IPNetwork.Parse("::/96"), "loopback or unspecified"),
        (IPNetwork.Parse("fe80::/10"), "link-local"),
        (IPNetwork.Parse("ff00::/8"), "multicast"),
    ];

    /// <param name="lookUp">Null: the system's resolver.</param>
    public static HttpClient Create(Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null) =>
        Create(lookUp is null ? new FetchRules() : new FetchRules { LookUp = lookUp });

    public static HttpClient Create(FetchRules rules) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxConnectionsPerServer = rules.MostConnections,
        ConnectCallback = (context, ct) => OpenAsync(context.DnsEndPoint, rules, ct),
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = PolicyFor(rules.Roots),
            RemoteCertificateValidationCallback = rules.NeedsDnsName ? HasDnsName : null,
            ClientCertificateContext = rules.Certificate is { } own
                ? SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true)
                : null,
        },
    })
    {
        MaxResponseContentBufferSize = rules.MostOctets,
    };

    private static X509ChainPolicy PolicyFor(X509Certificate2Collection? roots)
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        if (roots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        return policy;
    }

    private static bool HasDnsName(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        errors == SslPolicyErrors.None
        && certificate is X509Certificate2 shown
        && sender is SslStream stream
        && shown.MatchesHostname(stream.TargetHostName, allowWildcards: true, allowCommonName: false);

    /// <summary>Why a name must not lead to an address; null when it may.</summary>
    internal static string? WhyNot(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        foreach (var (network, name) in Refused)
        {
            if (network.Contains(address))
                return name;
        }

        return null;
    }

    private static async ValueTask<Stream> OpenAsync(
        DnsEndPoint host, FetchRules rules, CancellationToken ct)
    {
        var isLiteral = IPAddress.TryParse(host.Host, out var literal);
        var mayBeHere = rules.OperatorNamesIt && (isLiteral || host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase));
        var advice = rules.OperatorNamesIt ? ": name that address itself where it is meant" : string.Empty;
        Exception? failure = null;
        foreach (var address in isLiteral ? [literal!] : await rules.LookUp(host.Host, ct))
        {
            if (!mayBeHere && rules.WhyNot(address) is { } why)
            {
                failure = new IOException($"{host.Host} leads to {address}, a {why} address{advice}");
                continue;
            }

            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, host.Port), ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                failure = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw failure ?? new IOException($"{host.Host} has no address");
    }
}
