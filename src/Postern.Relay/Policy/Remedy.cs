namespace Postern.Relay.Policy;

/// <summary>What would make the policy say permit, as a command to paste or a line to write. It may look things up.</summary>
internal delegate ValueTask<string> Remedy(RuleContext context, CancellationToken ct);
