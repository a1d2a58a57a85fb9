namespace Postern.Relay.Accounts.Protection;

/// <summary>Which budget it is; each has a word in the log and in the configuration.</summary>
public enum BudgetKind
{
    AccountAndNetwork,
    Account,
    Address,
    Network,
    Device,
    Newcomer,
}
