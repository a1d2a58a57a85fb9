namespace Postern.Smtp.Session;

/// <summary>What a load balancer said of a connection in its PROXY protocol header (version 2), beside the addresses. Claims of the balancer, not facts of ours.</summary>
public sealed record ProxyClaims
{
    /// <summary>Nothing was said.</summary>
    public static ProxyClaims None { get; } = new();

    /// <summary>The application protocol that was agreed on with the client.</summary>
    public string? Alpn { get; init; }

    /// <summary>The host name that the client asked for, as in SNI.</summary>
    public string? Authority { get; init; }

    /// <summary>The balancer's name for the connection: at most 128 octets, in hex where it is not printable.</summary>
    public string? UniqueId { get; init; }

    /// <summary>Where in the balancer's machine the connection came in.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>Null where the client did not speak TLS to the balancer.</summary>
    public ProxyTls? Tls { get; init; }
}
