using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery.Logins;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery;

/// <summary>One line of the routes as an operator writes it: which messages it is for, and where they go.</summary>
/// <param name="To"><c>*</c>, a domain, or <c>.domain</c> for all domains below it.</param>
/// <param name="Via">
/// <c>mx</c> alone, or a place alone (<c>maildir:</c>, <c>pipe:</c>, <c>discard:</c>, <c>error:</c>), or servers in the order in which they
/// are tried: <c>smtp://host[:port][?tls=none|opportunistic|required]</c>, <c>smtps://host[:port]</c>, <c>lmtp://host[:port]</c> or
/// <c>lmtp:unix:/path</c>.
/// </param>
public sealed record Route(string To, params ImmutableArray<string> Via)
{
    /// <summary>
    /// Only for these senders: an address, <c>@domain</c>, <c>@.domain</c> for all domains below it, or <c>&lt;&gt;</c>; empty for all.
    /// </summary>
    public ImmutableArray<string> From { get; init; } = [];

    /// <summary>Only for what these logins submitted, case aside; empty for all, and for what came without a login.</summary>
    public ImmutableArray<string> Logins { get; init; } = [];

    /// <summary>Only for what came in by the listeners of these names, case aside; empty for all.</summary>
    public ImmutableArray<string> Listeners { get; init; } = [];

    /// <summary>Only for these tenants; empty for all.</summary>
    public ImmutableArray<string> Tenants { get; init; } = [];

    /// <summary>Not with <c>mx</c>. TLS is then <c>required</c> unless <see cref="Via"/> says otherwise.</summary>
    public ClientLogin? Login { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.Grant"/>; with a <see cref="Login"/>.</summary>
    public TokenGrant? Grant { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.Certificate"/>; not with <c>mx</c>.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Only with <c>mx</c>: servers as in <see cref="Via"/>, as <see cref="NextHop.MailExchanger.Fallback"/>.</summary>
    public ImmutableArray<string> Fallback { get; init; } = [];

    /// <summary>As <see cref="NextHop.MailExchanger.FallbackAfter"/>.</summary>
    public TimeSpan FallbackAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>As <see cref="NextHop.Pool"/>; null for that of the tenant. Not with <see cref="Bind"/> or <see cref="Hello"/>.</summary>
    public string? Pool { get; init; }

    /// <summary>As <see cref="NextHop.Bind"/>.</summary>
    public IPAddress? Bind { get; init; }

    /// <summary>As <see cref="NextHop.Hello"/>; an address literal, or a name of this host.</summary>
    public string? Hello { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.MayHaveOurName"/>; not with <c>mx</c>.</summary>
    public bool MayHaveOurName { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.InFlight"/>; null for as many as usual. Not with <c>mx</c>.</summary>
    public int? InFlight { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.Forward"/>; not with <c>mx</c>, and by XCLIENT not with a <see cref="Login"/>.</summary>
    public ClientForward Forward { get; init; }

    /// <summary>As <see cref="NextHop.SmartHost.Trusted"/>; not with <c>mx</c>.</summary>
    public X509Certificate2Collection? Trusted { get; init; }

    /// <summary>What it is for, in one line: <c>*</c>, <c>example.net from @sales.example.org</c>, <c>* login robot</c>.</summary>
    public string Name =>
        string.Concat(To, Part("from", From), Part("login", Logins), Part("listener", Listeners), Part("tenant", Tenants));

    private static string Part(string word, ImmutableArray<string> any) => any.IsEmpty ? string.Empty : $" {word} {string.Join('|', any)}";
}
