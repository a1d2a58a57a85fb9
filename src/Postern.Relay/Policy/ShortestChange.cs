using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>
/// The fewest changes after which a refused message would be permitted: each is tried on the code that decides, in the order in which they give rights away, the least
/// first. What the rules of the chain would each be changed by says less: another rule may refuse then.
/// </summary>
internal sealed class ShortestChange(PolicyOptions options, IDirectory directory, EnvelopeFacts facts, ReversePath sender, Mailbox recipient, TimeProvider clock)
{
    private const int MostChanges = 3;

    /// <summary>As commands to paste or lines to write, all of them needed; empty where nothing is known that would do.</summary>
    public async ValueTask<ImmutableArray<string>> FindAsync(CancellationToken ct)
    {
        var changes = Changes();
        for (var count = 1; count <= MostChanges; count++)
        {
            foreach (var some in Choose(changes, count, from: 0))
            {
                if (await PermitsAsync(some, ct))
                    return [.. some.Select(static change => change.Said)];
            }
        }

        return [];
    }

    private List<Change> Changes()
    {
        var context = new RuleContext(options, directory, facts, sender, recipient);
        var changes = new List<Change>();
        if (facts.Login is { } login)
        {
            if (context.Account is not { Enabled: true })
                changes.Add(new(Remedies.RestoreAccount(context), w => w.Account = context.Account is { } known ? known with { Enabled = true } : OwnOf(login)));
            if (sender.Mailbox is { } address)
                changes.Add(new(Remedies.GrantSender(context), w => w.Account = w.Account is { } known ? known with { Addresses = known.Addresses.Add(address.Canonical) } : null));
        }
        else if (facts.OffersAuth || facts.OffersAuthAfterTls)
        {
            var whose = sender.Mailbox is { } address ? $" as an account that may send as {address}" : string.Empty;
            changes.Add(new(Remedies.LogIn(context) + whose, w =>
            {
                w.Facts = w.Facts with { Login = Anybody };
                w.Account = new Account(Anybody, Enabled: true, sender.Mailbox is { } own ? [own.Canonical] : [], []);
            }));
        }

        if (sender.Mailbox is { Domain: { Literal: null } domain })
        {
            changes.Add(new(Remedies.ListDomain(context), w => w.Listed.Add(domain)));
            if (facts.Login is null)
                changes.Add(new(Remedies.AllowClient(context), w => w.Allowed = domain));
        }

        if (recipient.Domain.Literal is null)
            changes.Add(new(Remedies.AcceptDomain(context), w => w.Accepted.Add(recipient.Domain)));
        changes.Add(new(Remedies.TrustClient(context), w => w.IsTrusted = true));
        return changes;
    }

    private const string Anybody = "\u0001"; // a name that no account has

    private static Account OwnOf(string login) => new(login, Enabled: true, Mailbox.TryParse(login, out var own) ? [own.Canonical] : [], []);

    private async ValueTask<bool> PermitsAsync(IReadOnlyList<Change> some, CancellationToken ct)
    {
        var world = new World(directory, facts);
        foreach (var change in some)
            change.Make(world);
        // A network is allowed for a domain that is there.
        if (world.Allowed is { } allowed && !directory.IsListed(allowed) && !world.Listed.Contains(allowed))
            return false;
        var changed = options with { Networks = world.IsTrusted ? options.Networks.Add(OnlyOf(facts.Client)) : options.Networks };
        var decision = await new RelayPolicy(changed, world, NoAuditLog.Instance, clock).DryRunAsync(world.Facts, sender, recipient, ct);
        return decision.IsPermit;
    }

    private static IPNetwork OnlyOf(IPAddress client) => new(client, client.GetAddressBytes().Length * 8);

    private static IEnumerable<IReadOnlyList<Change>> Choose(IReadOnlyList<Change> changes, int count, int from)
    {
        if (count == 0)
        {
            yield return [];
            yield break;
        }

        for (var i = from; i < changes.Count; i++)
        {
            foreach (var rest in Choose(changes, count - 1, i + 1))
                yield return [changes[i], .. rest];
        }
    }

    private sealed record Change(string Said, Action<World> Make);

    /// <summary>The directory as it would be.</summary>
    private sealed class World(IDirectory before, EnvelopeFacts facts) : IDirectory
    {
        public EnvelopeFacts Facts { get; set; } = facts;

        public Account? Account { get; set; } = facts.Login is { } login ? before.FindAccount(login) : null;

        public HashSet<Domain> Listed { get; } = [];

        public HashSet<Domain> Accepted { get; } = [];

        public Domain? Allowed { get; set; }

        public bool IsTrusted { get; set; }

        public Account? FindAccount(string name) => name == Facts.Login ? Account : before.FindAccount(name);

        public bool IsListed(Domain domain) => Listed.Contains(domain) || Accepted.Contains(domain) || before.IsListed(domain);

        public bool AcceptsRecipients(Domain domain) => Accepted.Contains(domain) || before.AcceptsRecipients(domain);

        public IPNetwork? FindNetwork(IPAddress client, Domain domain) =>
            before.FindNetwork(client, domain) ?? (Allowed is { } allowed && allowed.Equals(domain) ? OnlyOf(client) : null);
    }
}
