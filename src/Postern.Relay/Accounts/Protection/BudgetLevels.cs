namespace Postern.Relay.Accounts.Protection;

/// <summary>The levels of all budgets of one kind. Bounded: where there is no room, the least used go. Not synchronized.</summary>
internal sealed class BudgetLevels(BudgetKind kind, RateLimit budget, int capacity, TimeProvider clock)
{
    private RateLimit budget = budget;
    private int capacity = capacity;

    /// <summary>Levels fall by fractions: so much may be missing to the next whole number without counting.</summary>
    private const double Rounding = 1e-6;

    private readonly Dictionary<BudgetKey, BudgetLevel> levels = [];

    public BudgetKind Kind => kind;

    public RateLimit Budget => budget;

    public int Count => levels.Count;

    /// <summary>Another budget from now on. What was used of the old one counts in it; what had flowed off by now has.</summary>
    public void Apply(RateLimit settings, int most, long now)
    {
        if (settings != budget)
        {
            foreach (var (key, level) in All(now))
                levels[key] = level;
        }

        (budget, capacity) = (settings, most);
    }

    public BudgetLevel Read(BudgetKey key, long now) =>
        levels.TryGetValue(key, out var level) ? Flow(level, now) : new BudgetLevel(0, 0, now, BudgetStage.Calm, 0);

    /// <summary>A wrong secret more is within the budget.</summary>
    public bool HasRoom(in BudgetLevel level) => level.Used + 1 <= budget.Count + Rounding;

    /// <summary>The same, with those that are being checked now taken for wrong.</summary>
    public bool HasRoomBesideReserved(in BudgetLevel level) => level.Used + level.Reserved + 1 <= budget.Count + Rounding;

    /// <summary>How far behind the half of the budget, 0 to 1; null before it.</summary>
    public double? Strain(in BudgetLevel level) =>
        level.Used + Rounding < budget.Count / 2.0 ? null : Math.Clamp((level.Used - (budget.Count / 2.0)) / (budget.Count / 2.0), 0, 1);

    /// <summary>Time until a wrong secret more is within the budget.</summary>
    public TimeSpan UntilRoom(in BudgetLevel level) =>
        HasRoom(level) ? TimeSpan.Zero : budget.Window * ((level.Used + 1 - budget.Count) / budget.Count);

    /// <summary>Keeps <paramref name="level"/>, or forgets it where it says nothing.</summary>
    public void Write(BudgetKey key, in BudgetLevel level)
    {
        if (IsIdle(level))
        {
            levels.Remove(key);
            return;
        }

        if (levels.Count >= capacity && !levels.ContainsKey(key))
            MakeRoom(level.At);
        levels[key] = level;
    }

    public bool Forget(BudgetKey key) => levels.Remove(key);

    public IEnumerable<(BudgetKey Key, BudgetLevel Level)> All(long now) =>
        [.. levels.Select(entry => (entry.Key, Flow(entry.Value, now)))];

    private BudgetLevel Flow(in BudgetLevel level, long now)
    {
        var elapsed = clock.GetElapsedTime(level.At, now);
        return elapsed <= TimeSpan.Zero
            ? level with { At = now }
            : level with { Used = Math.Max(0, level.Used - (elapsed / budget.Window * budget.Count)), At = now };
    }

    private bool IsIdle(in BudgetLevel level) =>
        level is { Used: <= 0, Reserved: 0, Stage: BudgetStage.Calm }
        && (level.ClearedAt == 0 || clock.GetElapsedTime(level.ClearedAt, level.At) >= budget.Window);

    /// <summary>An entry that was made on purpose pushes out others like it, not those that are nearly used up.</summary>
    private void MakeRoom(long now)
    {
        foreach (var (key, level) in All(now))
        {
            if (IsIdle(level))
                levels.Remove(key);
        }

        if (levels.Count < capacity)
            return;
        foreach (var (key, _) in All(now).OrderBy(static entry => entry.Level.Reserved > 0).ThenBy(static entry => entry.Level.Used)
            .Take(Math.Max(1, capacity / 4)))
            levels.Remove(key);
    }
}
