using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;

namespace Postern.Web.Access;

/// <summary>
/// How many wrong sign-ins are checked: of a name, from a network, and of all names together. These are budgets like those of logins for
/// mail, and apart from them: who is exempt there is not exempt here. Where one is used up, who comes again half a minute later from the
/// same place is let in slowly, so that a flood keeps no owner out for good.
/// </summary>
internal sealed class SignInGuard
{
    /// <summary>The one budget that all names share.</summary>
    private const string Everybody = "operators";

    private readonly LoginProtection each;
    private readonly LoginProtection together;

    /// <param name="key">Makes digests of names.</param>
    /// <param name="longestDelay">How long a sign-in waits where a budget is nearly used.</param>
    public SignInGuard(IAuditLog audit, TimeProvider clock, ReadOnlySpan<byte> key, TimeSpan? longestDelay = null)
    {
        var usual = new LoginProtectionOptions();
        var options = usual with { LongestDelay = longestDelay ?? usual.LongestDelay };
        each = new LoginProtection(options, audit, clock, key);
        together = new LoginProtection(
            options with { AccountAndNetwork = Network, Device = Network, Address = Network, Network = Network, Account = All },
            audit,
            clock,
            key);
    }

    /// <summary>Of all names from one network, or from one address.</summary>
    public static RateLimit Network { get; } = new(120, TimeSpan.FromHours(1));

    /// <summary>Of all names from all places where nobody signed in before.</summary>
    public static RateLimit All { get; } = new(400, TimeSpan.FromHours(1));

    /// <summary>Takes a place in every budget; it is given back by <see cref="SettleAsync"/>, whatever happens.</summary>
    public Turn Enter(string name, string address, CancellationToken ct) =>
        // Both at once: whoever has to come again has to do so once.
        new(each.EnterAsync($"operator {name}", address, ct).AsTask(), together.EnterAsync(Everybody, address, ct).AsTask());

    /// <param name="secret">Which wrong password of whom it was; default where each one counts.</param>
    /// <param name="isUser">There is such an operator; else the log masks the name.</param>
    public async ValueTask SettleAsync(Turn turn, LoginOutcome outcome, VerificationKey secret, bool isUser)
    {
        await GiveBackAsync(each, turn.Each, outcome, secret, isUser);
        await GiveBackAsync(together, turn.Together, outcome, secret, isUser: true);
    }

    private static async ValueTask GiveBackAsync(
        LoginProtection budgets, Task<LoginTurn> turn, LoginOutcome outcome, VerificationKey secret, bool isUser)
    {
        // Where one of the two was given up, the other may have got its place all the same.
        await ((Task)turn).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (turn.IsCompletedSuccessfully)
            budgets.Settle(await turn, outcome, secret, isUser);
    }

    /// <summary>The places that a sign-in has, or will have.</summary>
    internal readonly record struct Turn(Task<LoginTurn> Each, Task<LoginTurn> Together)
    {
        /// <summary>Whether it may be checked; false where it has to come again.</summary>
        public async ValueTask<bool> IsLetInAsync()
        {
            var (one, all) = (await Each, await Together);
            return one.Refusal is null && all.Refusal is null;
        }
    }
}
