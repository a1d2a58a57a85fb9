using System.Net;

namespace Postern.Sasl.Client;

/// <summary>What a client may log in with. An absent secret means that mechanisms which need it are not chosen.</summary>
public sealed record SaslClientCredentials
{
    /// <summary>Who logs in; empty where the mechanism knows by other means (EXTERNAL, GSSAPI).</summary>
    public string User { get; init; } = string.Empty;

    /// <summary>On whose behalf; empty for the user itself.</summary>
    public string AuthorizationId { get; init; } = string.Empty;

    /// <summary>For PLAIN, LOGIN, SCRAM and the digest mechanisms.</summary>
    public Secret? Password { get; init; }

    /// <summary>An OAuth access token (RFC 6750).</summary>
    public Secret? Token { get; init; }

    /// <summary>The TLS handshake has shown a client certificate that the server knows (EXTERNAL).</summary>
    public bool HasClientCertificate { get; init; }

    /// <summary>
    /// Kerberos credentials; <see cref="CredentialCache.DefaultNetworkCredentials"/> for the ticket cache. Null: no GSSAPI.
    /// </summary>
    public NetworkCredential? Kerberos { get; init; }

    /// <summary>
    /// The path of a keytab with the key of the principal <see cref="User"/>, or with one key alone: tickets are asked for and renewed by
    /// it (GSSAPI, with MIT Kerberos). Null for none.
    /// </summary>
    public string? KerberosKeytab { get; init; }

    /// <summary>The service name of the protocol (DIGEST-MD5, GSSAPI).</summary>
    public string Service { get; init; } = "smtp";

    /// <summary>The server's name, as the user wrote it and its certificate says.</summary>
    public string Host { get; init; } = string.Empty;

    /// <summary>TCP port; for OAUTHBEARER.</summary>
    public int Port { get; init; }

    /// <summary>The realm to choose where a server offers several; null for the first.</summary>
    public string? Realm { get; init; }

    /// <summary>The bindings of the connection's channel; null without TLS.</summary>
    public ChannelBindings? Channel { get; init; }

    /// <summary>
    /// A server must ask for this many rounds of PBKDF2 at the least (RFC 7677 §4): one that asks for few wants a proof from which the
    /// password is soon guessed.
    /// </summary>
    public int MinIterations { get; init; } = 4096;

    /// <summary>A server may ask for this many rounds of PBKDF2 at the most: one that asks for more wants this machine's time.</summary>
    public int MaxIterations { get; init; } = 1_000_000;
}
