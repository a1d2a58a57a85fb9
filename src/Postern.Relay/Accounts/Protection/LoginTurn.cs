using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Protection;

/// <summary>The place in the budgets that one login has taken, and holds until <see cref="LoginProtection.Settle"/>.</summary>
/// <param name="Refusal">
/// Null: the secret is checked. Else it is not, and this is the answer: <see cref="LoginAnswer.Unavailable"/> (454), or
/// <see cref="LoginAnswer.TooMany"/> (421) where it should have waited and there was no room.
/// </param>
public readonly record struct LoginTurn(LoginAnswer? Refusal)
{
    /// <summary>For logins that nobody counts.</summary>
    internal static LoginTurn Free { get; } = new(Refusal: null);

    /// <summary>The keyed digest.</summary>
    internal UInt128 Account { get; init; }

    internal string? Name { get; init; }

    internal LoginPlace Place { get; init; }

    internal bool IsCounted { get; init; }

    /// <summary>The account logged in from this network before.</summary>
    internal bool IsRemembered { get; init; }

    /// <summary>It is not known before the check whose login it is.</summary>
    internal bool IsNameless { get; init; }

    /// <summary>The account's budget is used up, and this is one of the few that are checked all the same.</summary>
    internal bool IsNewcomer { get; init; }
}
