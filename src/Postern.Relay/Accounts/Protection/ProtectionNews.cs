using Postern.Relay.Audit.Events;

namespace Postern.Relay.Accounts.Protection;

/// <summary>Events that wait until the gate is open again; most often none.</summary>
internal struct ProtectionNews
{
    private List<Item>? all;

    public readonly IReadOnlyList<Item> All => all ?? (IReadOnlyList<Item>)[];

    public void Add(string what, string detail, BudgetSpent? spent = null) => (all ??= []).Add(new Item(what, detail, spent));

    /// <param name="Spent">Null where none became smaller.</param>
    public readonly record struct Item(string What, string Detail, BudgetSpent? Spent);
}

/// <summary>A budget of which half is used, or all.</summary>
/// <param name="Whose">As <see cref="ProtectionLedger.Describe"/> says it.</param>
/// <param name="Place">Where its client is; 0 where it is counted for all places.</param>
internal sealed record BudgetSpent(LimitState State, string Whose, UInt128 Place, RateLimit Budget, int Used);
