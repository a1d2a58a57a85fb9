namespace Postern.Relay.Accounts.Protection;

/// <summary>What the log was told last of a budget.</summary>
internal enum BudgetStage
{
    Calm,
    Slowed,
    Paused,
}
