namespace Postern.Relay.Audit;

/// <summary>One rule that was asked: its name, what it looked at, what it said (permit, refuse, pass), and what would make it say permit.</summary>
public sealed record RuleStep(string Rule, string Saw, string Said, string? Remedy);
