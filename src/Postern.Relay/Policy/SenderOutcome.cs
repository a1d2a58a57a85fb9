using System.Collections.Immutable;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>
/// What the stages before the recipient found, kept on the session until its recipients are decided: their decisions show the whole chain. Only
/// for the policy that found it, and only for that sender.
/// </summary>
internal sealed record SenderOutcome(RelayPolicy Policy, EnvelopeFacts Facts, ReversePath Sender, ImmutableArray<AskedRule> Asked);
