namespace Postern.Relay.Accounts.Protection;

/// <summary>How far a budget is used.</summary>
/// <param name="Used">Wrong secrets, as of <paramref name="At"/>; they flow off evenly.</param>
/// <param name="Reserved">Secrets that are being checked now.</param>
/// <param name="At">A timestamp of the clock.</param>
/// <param name="ClearedAt">When a right secret last set it to nothing; 0 for never.</param>
internal readonly record struct BudgetLevel(double Used, int Reserved, long At, BudgetStage Stage, long ClearedAt);
