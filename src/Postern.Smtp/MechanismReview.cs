using Postern.Sasl;
using Postern.Smtp.Transport;

namespace Postern.Smtp;

/// <summary>The part of <see cref="OptionsReview"/> that reads mechanisms and what listeners say of them.</summary>
internal static class MechanismReview
{
    /// <summary>RFC 4422 §3.1.</summary>
    private const int MaxNameLength = 20;

    public static IEnumerable<string> Mistakes(IReadOnlyList<ISaslMechanism> mechanisms)
    {
        foreach (var mechanism in mechanisms.Where(static m => !IsName(m.Name)))
            yield return $"{mechanism.GetType().Name} is named '{mechanism.Name}': "
                + $"the name of a mechanism is 1 to {MaxNameLength} of A-Z 0-9 - and _";
        foreach (var same in mechanisms.GroupBy(static m => m.Name, StringComparer.OrdinalIgnoreCase).Where(static g => g.Count() > 1))
            yield return $"Mechanisms holds {same.Key} {same.Count()} times: one that replaces another comes in by Mechanisms.With(…)";
    }

    public static IEnumerable<string> Mistakes(IReadOnlyList<ISaslMechanism> mechanisms, SmtpListenerOptions listener)
    {
        var known = mechanisms.Select(static m => m.Name).ToList();
        (string Verb, IReadOnlyList<string> Names)[] said =
        [
            ("names", listener.Mechanisms ?? []),
            ("does without", listener.WithoutMechanisms),
            ("keeps for TLS", listener.MechanismsUnderTls),
        ];
        foreach (var (verb, names) in said)
        {
            foreach (var name in names.Except(known, StringComparer.OrdinalIgnoreCase))
                yield return $"listener '{listener.Name}' {verb} the mechanism {name}, and there are {string.Join(", ", known)}";
        }

        foreach (var name in listener.WithoutMechanisms.Intersect(listener.Mechanisms ?? [], StringComparer.OrdinalIgnoreCase))
            yield return $"listener '{listener.Name}' names the mechanism {name}, and does without it";
    }

    private static bool IsName(string? name) =>
        name is { Length: >= 1 and <= MaxNameLength }
        && name.All(static c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c is '-' or '_');
}
