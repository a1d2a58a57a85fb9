using Postern.Sasl;
using Postern.Sasl.Mechanisms;

namespace Postern.Relay.DovecotAuth;

/// <summary>What the handshake says of a mechanism, by which asking servers choose (<c>smtpd_sasl_security_options</c>).</summary>
internal static class MechanismTraits
{
    /// <summary>With a tab before each; empty for none.</summary>
    public static string Of(ISaslMechanism mechanism) => mechanism switch
    {
        { ExposesSecret: true } => "\tplaintext",
        CramMd5Mechanism => "\tdictionary\tactive",
        DigestMd5Mechanism => "\tdictionary\tactive\tmutual-auth",
        ScramMechanism => "\tmutual-auth",
        _ => string.Empty,
    };
}
