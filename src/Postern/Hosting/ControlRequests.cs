using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Spool;

namespace Postern.Hosting;

/// <summary>The bodies of what is asked over the control socket.</summary>
internal static class ControlRequests
{
    /// <param name="After">The id behind which the page begins; null for the first page.</param>
    internal sealed record ListQueue(QueueFilter Filter, int Limit, string? After);

    internal sealed record ChangeQueue(QueueAction Action, QueueFilter Filter);

    /// <param name="Target">An address, a network or an account.</param>
    internal sealed record LiftLogins(string Target);

    /// <param name="Budgets">Those that held wrong logins.</param>
    internal sealed record Lifted(int Budgets);

    internal sealed record PeekCounter(CounterKey Key, LoginBudget Limit, int Cost);

    /// <summary>The body of every answer that is not 200.</summary>
    internal sealed record Refusal(string Error);
}
