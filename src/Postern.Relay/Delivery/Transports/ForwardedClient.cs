using System.Net;
using Postern.Relay.Envelopes;
using Postern.Smtp.Client;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Transports;

/// <summary>What a next hop is told of the client that a message came from, where its route says that it is told.</summary>
internal static class ForwardedClient
{
    /// <summary>
    /// Null where nobody is named: to a host that is not told, and of a message that came from this machine, which is this server's own:
    /// what 127.0.0.1 may do there is not for who is at 127.0.0.1 here. XFORWARD has words for that.
    /// </summary>
    public static PeerClaims? Of(Envelope envelope, NextHop hop) => (hop as NextHop.SmartHost)?.Forward switch
    {
        ClientForward.XForward => SessionOf(envelope) with
        {
            Ident = envelope.Id.ToString(),
            Source = envelope.Client is null ? "LOCAL" : "REMOTE",
        },
        ClientForward.XClient when IsFar(envelope) => SessionOf(envelope) with { Login = envelope.Login },
        ClientForward.Proxy or ClientForward.ProxyV2 when IsFar(envelope) => new PeerClaims
        {
            Address = envelope.Client,
            Port = envelope.ClientSession?.Port,
            ServerAddress = envelope.ClientSession?.ServerAddress,
            ServerPort = envelope.ClientSession?.ServerPort,
        },
        _ => null,
    };

    private static PeerClaims SessionOf(Envelope envelope) => (envelope.ClientSession ?? PeerClaims.None) with
    {
        Address = IsUnknown(envelope) ? null : envelope.Client,
        IsAddressUnknown = IsUnknown(envelope),
    };

    private static bool IsFar(Envelope envelope) => envelope.Client is { } client && !IPAddress.IsLoopback(client);

    /// <summary>As <see cref="SessionState.ClientAddress"/> says it.</summary>
    private static bool IsUnknown(Envelope envelope) => IPAddress.None.Equals(envelope.Client);
}
