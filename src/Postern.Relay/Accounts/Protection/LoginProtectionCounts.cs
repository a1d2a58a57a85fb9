namespace Postern.Relay.Accounts.Protection;

/// <summary>What the protection did since start, by reason.</summary>
public readonly record struct LoginProtectionCounts
{
    /// <summary>Logins that waited before they were checked.</summary>
    public long Delayed { get; init; }

    /// <summary>Sessions that were ended by 421, for there was no room to wait.</summary>
    public long Closed { get; init; }

    /// <summary>Wrong secrets that were known to be wrong, and cost nothing.</summary>
    public long Repeated { get; init; }

    /// <summary>
    /// Logins that got 454 because too many others were being checked; the following got it for a budget that was used up.
    /// </summary>
    public long Crowded { get; init; }

    public long AccountAndNetwork { get; init; }

    public long Account { get; init; }

    public long Address { get; init; }

    public long Network { get; init; }

    public long Device { get; init; }

    internal LoginProtectionCounts With(BudgetKind kind) => kind switch
    {
        BudgetKind.AccountAndNetwork => this with { AccountAndNetwork = AccountAndNetwork + 1 },
        BudgetKind.Address => this with { Address = Address + 1 },
        BudgetKind.Network => this with { Network = Network + 1 },
        BudgetKind.Device => this with { Device = Device + 1 },
        _ => this with { Account = Account + 1 },
    };
}
