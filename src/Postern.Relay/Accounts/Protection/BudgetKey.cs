namespace Postern.Relay.Accounts.Protection;

/// <summary>Whose budget: an account (its keyed digest; 0 for all) at a place (0 for all).</summary>
internal readonly record struct BudgetKey(UInt128 Account, UInt128 Place);
