using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>What <see cref="GuardedFetch"/> holds a fetch to.</summary>
internal sealed record FetchRules
{
    /// <summary>How a name is found.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> LookUp { get; init; } = System.Net.Dns.GetHostAddressesAsync;

    /// <summary>Why an address that a name led to is not connected to; null when it may be.</summary>
    public Func<IPAddress, string?> WhyNot { get; init; } = GuardedFetch.WhyNot;

    /// <summary>
    /// An operator wrote the name of the server, so that an address or <c>localhost</c> is what he meant. False: a stranger did.
    /// </summary>
    public bool OperatorNamesIt { get; init; } = true;

    /// <summary>Of an answer; a longer one is an error.</summary>
    public int MostOctets { get; init; } = 1 << 20;

    /// <summary>The certificate must have the server's name among its subjectAltNames: a common name is none.</summary>
    public bool NeedsDnsName { get; init; }

    /// <summary>What the server's certificate is verified against; null for the system's trusted roots.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    /// <summary>What this server shows to one that asks for a certificate; null for none.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Connections to one server at most.</summary>
    public int MostConnections { get; init; } = int.MaxValue;
}
