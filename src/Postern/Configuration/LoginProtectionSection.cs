using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts;
using Engine = Postern.Relay.Accounts.Protection.LoginProtectionOptions;

namespace Postern.Configuration;

/// <summary><c>login_protection</c>: how many guesses are checked.</summary>
internal sealed record LoginProtectionSection(
    bool Enabled, int FailuresPerSession, ImmutableArray<IPNetwork> Exempt, LoginProtectionSection.BudgetOptions Budgets)
{
    public static LoginProtectionSection Read(Section section) => new(
        section.Value(
            "enabled",
            Kinds.Word(("true", true), ("false", false)),
            fallback: true,
            "true",
            "Whether wrong logins are counted over all sessions. `false`: only within each session."),
        section.Value(
            "failures_per_session",
            Kinds.Count,
            5,
            "5",
            "Wrong logins of one session, the last of which is answered 421. At most 3 under overload."),
        section.List(
            "exempt",
            Kinds.Network,
            [],
            "none",
            "Clients whose logins are neither counted nor slowed, and whose repeats the log writes as it does those of who has logged in. "
                + "The gateway of an office needs no place here: who logged in from there before keeps logging in."),
        section.Child(
            "budgets",
            BudgetOptions.Read,
            "Wrong passwords, proofs and tokens that are checked in a time, such as `40/1h`; they flow off evenly. "
                + "From half of a budget on, logins wait up to 8 seconds; behind it they are answered 454. "
                + "A wrong password that was wrong before costs nothing. A network is an IPv4 /24 or an IPv6 /48; "
                + "an address is an IPv4 address or an IPv6 /64."));

    /// <param name="Device">Of an account that logged in from a network before, there.</param>
    internal sealed record BudgetOptions(
        RateLimit AccountAndNetwork, RateLimit Account, RateLimit Address, RateLimit Network, RateLimit Device)
    {
        public static BudgetOptions Read(Section section)
        {
            var usual = new Engine();
            return new(
                section.Value(
                    "account_and_network",
                    Kinds.Budget,
                    usual.AccountAndNetwork,
                    $"{usual.AccountAndNetwork}",
                    "Of one account from one network."),
                section.Value(
                    "account",
                    Kinds.Budget,
                    usual.Account,
                    $"{usual.Account}",
                    "Of one account from all places where it never logged in. Behind it, "
                        + "a login from a new place is checked when it comes a second time, 30 seconds later."),
                section.Value(
                    "address",
                    Kinds.Budget,
                    usual.Address,
                    $"{usual.Address}",
                    "Of one address, for all accounts that never logged in from its network."),
                section.Value(
                    "network",
                    Kinds.Budget,
                    usual.Network,
                    $"{usual.Network}",
                    "Of one network, for all accounts that never logged in from it."),
                section.Value(
                    "device",
                    Kinds.Budget,
                    usual.Device,
                    $"{usual.Device}",
                    "Of one account from a network where it logged in within 90 days. These count in no other budget, "
                        + "and no other holds them up."));
        }
    }
}
