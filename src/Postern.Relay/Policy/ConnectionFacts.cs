using System.Net;
using Postern.Smtp.Session;

namespace Postern.Relay.Policy;

/// <summary>
/// What is known of a client's connection and no rule here decides by: for services that are asked. Nothing in it is trusted because the
/// client said it.
/// </summary>
public sealed record ConnectionFacts
{
    /// <summary>Of which nothing is known: a dry run, or a message of this machine.</summary>
    public static ConnectionFacts None { get; } = new();

    /// <summary>The client greeted with EHLO or LHLO.</summary>
    public bool IsExtended { get; init; }

    public bool IsLmtp { get; init; }

    /// <summary>0 where it has none.</summary>
    public int ClientPort { get; init; }

    /// <summary>The name that a trusted peer gave the client by XCLIENT; null where nobody did. DNS has not been asked.</summary>
    public string? ClientName { get; init; }

    /// <summary>Where the client connected to; null where the connection has no addresses.</summary>
    public IPEndPoint? Server { get; init; }

    /// <summary>The IANA name of the suite; null without TLS.</summary>
    public string? Cipher { get; init; }

    /// <summary>What the client showed; null for none.</summary>
    public ClientCertificate? Certificate { get; init; }

    /// <summary>The SASL mechanism of the login; null without one.</summary>
    public string? Mechanism { get; init; }

    /// <summary>Random, one for each mail transaction.</summary>
    public long Transaction { get; init; }

    internal static ConnectionFacts Of(SessionState session) => new()
    {
        IsExtended = session.IsExtended,
        IsLmtp = session.IsLmtp,
        ClientPort = session.ClientPort,
        ClientName = session.XClient.Name,
        Server = session.ServerEndpoint,
        Cipher = session.Tls?.Cipher,
        Certificate = session.Tls?.ClientCertificate,
        Mechanism = session.IsLoggedIn ? session.Mechanism : null,
        Transaction = Random.Shared.NextInt64(),
    };
}
