using Postern.Relay.Accounts;
using Postern.Relay.Policy.Counters;

namespace Postern.Relay.Policy;

/// <summary>What the rules may look at beside the question.</summary>
internal sealed record PolicyWorld(PolicyOptions Options, IDirectory Directory, ICounters Counters, TimeProvider Clock);
