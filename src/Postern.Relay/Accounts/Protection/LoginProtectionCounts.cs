namespace Postern.Relay.Accounts.Protection;

/// <summary>What the protection did since start, by reason.</summary>
/// <param name="Delayed">Logins that waited before they were checked.</param>
/// <param name="Closed">Sessions that were ended by 421, for there was no room to wait.</param>
/// <param name="Repeated">Wrong secrets that were known to be wrong, and cost nothing.</param>
/// <param name="Crowded">Logins that got 454 because too many others were being checked; the following got it for a budget that was used up.</param>
public readonly record struct LoginProtectionCounts(
    long Delayed, long Closed, long Repeated, long Crowded, long AccountAndNetwork, long Account, long Address, long Network, long Device)
{
    internal LoginProtectionCounts With(BudgetKind kind) => kind switch
    {
        BudgetKind.AccountAndNetwork => this with { AccountAndNetwork = AccountAndNetwork + 1 },
        BudgetKind.Address => this with { Address = Address + 1 },
        BudgetKind.Network => this with { Network = Network + 1 },
        BudgetKind.Device => this with { Device = Device + 1 },
        _ => this with { Account = Account + 1 },
    };
}
