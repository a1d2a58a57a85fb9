using Postern.Relay.Accounts.Protection;
using Postern.Relay.Policy.Counters;

namespace Postern.Relay.Policy;

/// <summary>What a rule that passes wants counted, once its list has let the question through; a dry run counts nothing.</summary>
/// <param name="Over">The rule's answer where others have used it up in the meantime.</param>
internal sealed record Charge(CounterKey Key, LoginBudget Limit, int Cost, Func<CounterLevel, RuleAnswer.Refuse> Over);
