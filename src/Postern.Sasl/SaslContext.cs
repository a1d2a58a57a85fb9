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

    /// <summary>What mechanisms with channel binding compare; null in clear.</summary>
    public ChannelBindings? Channel { get; init; }
}
