using Postern.Sasl.Kerberos;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl;

/// <summary>What a mechanism may use. An absent verifier means that mechanisms which need it are not offered.</summary>
public sealed record SaslContext
{
    /// <summary>Checks a password that the client reveals (PLAIN, LOGIN).</summary>
    public IPasswordVerifier? Passwords { get; init; }

    /// <summary>Answers "may A act as B". Absent: only as itself.</summary>
    public IAuthorizationGrants? Grants { get; init; }

    /// <summary>The peer's address as text, handed to verifiers for their budgets per address; null when unknown.</summary>
    public string? Peer { get; init; }

    /// <summary>What is known of the client's connection, for those who are asked elsewhere; null for nothing.</summary>
    public SaslConnection? Connection { get; init; }

    /// <summary>Gives the stored half of SCRAM logins.</summary>
    public IScramSecrets? ScramSecrets { get; init; }

    /// <summary>What stands in for users that do not exist.</summary>
    public Decoys Decoys { get; init; } = Decoys.ForProcess;

    /// <summary>A -PLUS mechanism was on offer to this client.</summary>
    public bool OffersChannelBinding { get; init; }

    /// <summary>Gives passwords themselves (CRAM-MD5).</summary>
    public ISharedSecrets? SharedSecrets { get; init; }

    /// <summary>Gives digests of passwords (DIGEST-MD5).</summary>
    public IDigestSecrets? DigestSecrets { get; init; }

    /// <summary>Checks bearer tokens (OAUTHBEARER, XOAUTH2).</summary>
    public ITokenVerifier? Tokens { get; init; }

    /// <summary>Knows who the client is without being told (EXTERNAL); null when it does not.</summary>
    public IExternalIdentity? External { get; init; }

    /// <summary>Maps Kerberos principals to users (GSSAPI).</summary>
    public IKerberosUsers? KerberosUsers { get; init; }

    /// <summary>The keys that open this service's tickets (GSSAPI); whoever opened them disposes them.</summary>
    public KerberosService? Kerberos { get; init; }

    /// <summary>The service name of the protocol, as in <c>smtp/mail.example.org</c> (DIGEST-MD5, GSSAPI).</summary>
    public string Service { get; init; } = "smtp";

    /// <summary>This server's own name; it stands in challenges.</summary>
    public string Hostname { get; init; } = "localhost";

    /// <summary>Clients may come without any identity (ANONYMOUS).</summary>
    public bool AllowsAnonymous { get; init; }

    /// <summary>What mechanisms with channel binding compare; null in clear.</summary>
    public ChannelBindings? Channel { get; init; }

    /// <summary>Somebody else who answers whole mechanisms; null for nobody.</summary>
    public ISaslElsewhere? Elsewhere { get; init; }

    /// <summary>
    /// Begins an exchange: elsewhere, where that is who answers <paramref name="mechanism"/>, else here. Null where nobody can. An exchange
    /// that is <see cref="IDisposable"/> is disposed when it is over, however that came.
    /// </summary>
    public ISaslExchange? Begin(ISaslMechanism mechanism) =>
        Elsewhere is { } elsewhere && elsewhere.TryStart(mechanism, this with { Elsewhere = null }, out var exchange)
            ? exchange
            : mechanism.TryStart(this);
}
