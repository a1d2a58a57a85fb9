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

    /// <summary>
    /// The list with mechanisms of one's own: one that has the name of another takes its place, a new one is offered before all others.
    /// </summary>
    public static IReadOnlyList<ISaslMechanism> With(
        this IReadOnlyList<ISaslMechanism> mechanisms, params IReadOnlyList<ISaslMechanism> own)
    {
        var fresh = own.Where(mine => !mechanisms.Any(m => IsNamed(m, mine.Name)));
        return [.. fresh, .. mechanisms.Select(m => own.LastOrDefault(mine => IsNamed(m, mine.Name)) ?? m)];
    }

    /// <summary>The list without those of these names, in any case.</summary>
    /// <exception cref="ArgumentException">There is none of that name: what was meant would still be offered.</exception>
    public static IReadOnlyList<ISaslMechanism> Without(this IReadOnlyList<ISaslMechanism> mechanisms, params IReadOnlyList<string> names)
    {
        if (names.FirstOrDefault(name => !mechanisms.Any(m => IsNamed(m, name))) is { } unknown)
            throw new ArgumentException(
                $"there is no mechanism {unknown} among {string.Join(", ", mechanisms.Select(static m => m.Name))}", nameof(names));
        return [.. mechanisms.Where(m => !names.Any(name => IsNamed(m, name)))];
    }

    private static bool IsNamed(ISaslMechanism mechanism, string name) => mechanism.Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
