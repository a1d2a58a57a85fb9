namespace Postern.Relay.Accounts.Protection;

/// <summary>The place in the budgets that one login has taken.</summary>
public readonly record struct LoginTurn(LoginAdmission Admission, string Reason)
{
    /// <summary>For logins that nobody counts.</summary>
    internal static LoginTurn Free { get; } = new(LoginAdmission.Check, string.Empty);

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
