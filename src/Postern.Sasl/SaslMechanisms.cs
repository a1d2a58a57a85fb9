using Postern.Sasl.Mechanisms;

namespace Postern.Sasl;

/// <summary>Every mechanism of this library, strongest first: the order in which a server offers them.</summary>
public static class SaslMechanisms
{
    /// <summary>Shared instances; none holds state.</summary>
    public static IReadOnlyList<ISaslMechanism> All { get; } =
    [
        ExternalMechanism.Instance,
        GssapiMechanism.Instance,
        ScramMechanism.Sha512Plus,
        ScramMechanism.Sha256Plus,
        ScramMechanism.Sha1Plus,
        ScramMechanism.Sha512,
        ScramMechanism.Sha256,
        ScramMechanism.Sha1,
        OAuthBearerMechanism.Instance,
        XOAuth2Mechanism.Instance,
        DigestMd5Mechanism.Instance,
        CramMd5Mechanism.Instance,
        PlainMechanism.Instance,
        LoginMechanism.Instance,
        AnonymousMechanism.Instance,
    ];
}
