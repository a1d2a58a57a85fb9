namespace Postern.Relay.Policy.Counters;

/// <summary>What is counted, for whom.</summary>
/// <param name="What">A word of the program's own, such as <c>messages</c>.</param>
/// <param name="Whose">An account or a network; it may hold anything that is visible.</param>
public readonly record struct CounterKey(string What, string Whose);
