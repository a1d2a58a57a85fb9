using Postern.Sasl.Mechanisms;

namespace Postern.Sasl;

/// <summary>Every mechanism of this library, strongest first: the order in which a server offers them.</summary>
public static class SaslMechanisms
{
    /// <summary>Shared instances; none holds state.</summary>
    public static IReadOnlyList<ISaslMechanism> All { get; } =
    [
        PlainMechanism.Instance,
        LoginMechanism.Instance,
    ];
}
