using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery;

/// <summary>One line of the routes as an operator writes it.</summary>
/// <param name="To"><c>*</c>, a domain, or <c>.domain</c> for all domains below it.</param>
/// <param name="Via"><c>mx</c>, <c>smtp://host[:port][?tls=none|opportunistic|required]</c> or <c>smtps://host[:port]</c>.</param>
public sealed record Route(string To, string Via)
{
    /// <summary>Not with <c>mx</c>. TLS is then <c>required</c> unless <see cref="Via"/> says otherwise.</summary>
    public ClientLogin? Login { get; init; }

    /// <summary>As <see cref="NextHop.Bind"/>.</summary>
    public IPAddress? Bind { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.MayHaveOurName"/>; not with <c>mx</c>.</summary>
    public bool MayHaveOurName { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.Trusted"/>; not with <c>mx</c>.</summary>
    public X509Certificate2Collection? Trusted { get; init; }
}
