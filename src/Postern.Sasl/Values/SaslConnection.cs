using System.Net;

namespace Postern.Sasl;

/// <summary>
/// The connection over which a client logs in, as those are told of it who are asked elsewhere. What is not known is left out, never made
/// up.
/// </summary>
public sealed record SaslConnection
{
    /// <summary>Where the client is; null where that is not known. A port of 0 is not known.</summary>
    public IPEndPoint? Client { get; init; }

    /// <summary>Where the client has connected to; null where that is not known.</summary>
    public IPEndPoint? Server { get; init; }

    /// <summary>It is safe from listeners (TLS).</summary>
    public bool IsSecured { get; init; }

    /// <summary>Such as <c>TLSv1.3</c>; null where there is none, or it is not known.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>The id of the session in logs: letters and digits. Null for none.</summary>
    public string? Session { get; init; }
}
