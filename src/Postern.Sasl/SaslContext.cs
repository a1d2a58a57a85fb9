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

    /// <summary>Gives the stored half of SCRAM logins.</summary>
    public IScramSecrets? ScramSecrets { get; init; }

    /// <summary>What stands in for users that do not exist.</summary>
    public Decoys Decoys { get; init; } = Decoys.ForProcess;

    /// <summary>The bindings of this connection's channel; null without TLS.</summary>
    public IChannelBindings? Channel { get; init; }

    /// <summary>A -PLUS mechanism was on offer to this client.</summary>
    public bool OffersChannelBinding { get; init; }
}
