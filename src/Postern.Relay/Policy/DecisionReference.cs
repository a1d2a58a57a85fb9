using System.Diagnostics.CodeAnalysis;

namespace Postern.Relay.Policy;

/// <summary>
/// The short name of a decision that a refused client is told: six letters and digits of Crockford's base 32, 30 random bits. Short
/// enough to be read out on the telephone, so two decisions of one day may share one: whoever looks one up shows all that match.
/// </summary>
public static class DecisionReference
{
    public const int Length = 6;

    /// <summary>The reference of a dry run. U is not a digit of base 32: no recorded decision can have it.</summary>
    public const string DryRun = "DRYRUN";

    private const string Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>
    /// Nothing is granted to whoever guesses a reference, so it need not cost a system call for each permitted recipient.
    /// </summary>
    public static string New() => string.Create(Length, Random.Shared.Next(1 << (5 * Length)), static (chars, value) =>
    {
        for (var i = 0; i < chars.Length; i++)
        {
            chars[i] = Digits[value & 31];
            value >>= 5;
        }
    });

    /// <summary>Reads a reference as a person writes it: either case, O for 0, I and L for 1.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out string? reference)
    {
        reference = text?.Trim().ToUpperInvariant().Replace('O', '0').Replace('I', '1').Replace('L', '1');
        if (reference is { Length: Length } && reference.All(static c => Digits.Contains(c, StringComparison.Ordinal)))
            return true;
        reference = null;
        return false;
    }
}
