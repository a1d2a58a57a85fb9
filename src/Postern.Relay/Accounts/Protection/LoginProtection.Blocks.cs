using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Accounts.Protection;

/// <content>What operators see and lift.</content>
public sealed partial class LoginProtection
{
    /// <summary>Who is slowed or paused, the fullest first.</summary>
    public ImmutableArray<LoginBlock> Blocks()
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            return
            [
                .. levels.SelectMany(one => one.All(now).Where(entry => one.Strain(entry.Level) is not null).Select(entry => (one, entry.Key, entry.Level)))
                    .OrderByDescending(static e => e.Level.Used / e.one.Budget.Count)
                    .Select(e => new LoginBlock(
                        Describe(e.one.Kind, e.Key),
                        e.one.HasRoom(e.Level) ? "slowed" : "paused",
                        (int)Math.Ceiling(e.Level.Used),
                        e.one.Budget.ToString(),
                        clock.GetUtcNow() + (e.one.Budget.Window * ((e.Level.Used / e.one.Budget.Count) - 0.5)))),
            ];
        }
    }

    /// <summary>Forgets the wrong logins of an address and its network, or of an account wherever it is. The number of budgets that held some.</summary>
    /// <param name="target">An address, a network as the list shows it, or an account in any spelling.</param>
    public int Lift(string target)
    {
        var text = target.Split('/')[0];
        var place = IPAddress.TryParse(text, out var address) ? LoginPlace.Of(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address) : (LoginPlace?)null;
        if (address is { AddressFamily: not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6) })
            return 0;
        var account = DigestOf(LoginNames.TryCanonical(target, out var canonical) ? canonical : target);
        var (lifted, news) = (0, default(News));
        lock (gate)
        {
            var now = clock.GetTimestamp();
            foreach (var one in levels)
            {
                foreach (var (budget, level) in one.All(now))
                {
                    var isMeant = place is { } at ? budget.Place != default && (budget.Place == at.Address || budget.Place == at.Network || budget.Place == at.Region) : budget.Account == account;
                    if (!isMeant || level.Used <= 0)
                        continue;
                    lifted++;
                    var empty = level with { Used = 0 };
                    one.Write(budget, empty);
                    Calm(one, budget, empty, ref news);
                }
            }
        }

        Tell(news);
        return lifted;
    }
}
