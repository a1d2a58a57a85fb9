using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Rules;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Explaining;

/// <summary>
/// The fewest changes after which a refused message would be permitted: each is tried on the code that decides, in the order in which they
/// give rights away, the least first. What the rules of the chain would each be changed by says less: another rule may refuse then.
/// </summary>
internal sealed class ShortestChange(PolicyWorld now, PolicyQuestion question, Mailbox recipient)
{
    private readonly IDirectory directory = now.DirectoryOf(question.Facts.Listener);
    private readonly EnvelopeFacts facts = question.Facts;
    private readonly ReversePath sender = question.Sender;

    private const int MostChanges = 3;

    /// <summary>As commands to paste or lines to write, all of them needed; empty where nothing is known that would do.</summary>
    public async ValueTask<ImmutableArray<string>> FindAsync(CancellationToken ct)
    {
        var known = facts.Login is { } login ? await directory.FindAccountAsync(login, ct) : null;
        var changes = await ChangesAsync(known, ct);
        for (var count = 1; count <= MostChanges; count++)
        {
            foreach (var some in Choose(changes, count, from: 0))
            {
                if (await PermitsAsync(some, known, ct))
                    return [.. some.Select(static change => change.Said)];
            }
        }

        return [];
    }

    private async ValueTask<List<Change>> ChangesAsync(Account? known, CancellationToken ct)
    {
        var context = new RuleContext(now, question with { Recipient = recipient });
        var changes = new List<Change>();
        if (await context.FindSuppressionAsync(recipient, ct) is { } suppressed)
            changes.Add(new(RejectSuppressedRecipient.RemedyFor(suppressed), static w => w.IsUnsuppressed = true));
        foreach (var (limit, raise) in await LimitJudge.OverAsync(context, ct))
            changes.Add(new(raise, w => w.Lifted.Add(limit)));
        if (await context.FindCredentialAsync(ct) is { Limits.Senders.IsEmpty: false })
            changes.Add(new(await Remedies.WidenCredentialAsync(context, ct), static w => w.Facts = w.Facts with { Credential = null }));
        if (facts.Login is { } login)
        {
            if (known is not { Enabled: true })
                changes.Add(
                    new(
                        await Remedies.RestoreAccountAsync(context, ct),
                        w => w.Account = known is null ? OwnOf(login) : known with { Enabled = true }));
            if (sender.Mailbox is { } address)
                changes.Add(
                    new(
                        await Remedies.GrantSenderAsync(context, ct),
                        w => w.Account = w.Account is { } account
                            ? account with { Addresses = account.Addresses.Add(address.Canonical) }
                            : null));
        }
        else if (facts.OffersAuth || facts.OffersAuthAfterTls)
        {
            var whose = sender.Mailbox is { } address ? $" as an account that may send as {address}" : string.Empty;
            changes.Add(new(await Remedies.LogInAsync(context, ct) + whose, w =>
            {
                w.Facts = w.Facts with { Login = Anybody };
                w.Account = new Account(Anybody, Enabled: true, sender.Mailbox is { } own ? [own.Canonical] : [], []);
            }));
        }

        if (sender.Mailbox is { Domain: { Literal: null } domain })
        {
            changes.Add(new(await Remedies.ListDomainAsync(context, ct), w => w.Listed.Add(domain)));
            if (facts.Login is null)
                changes.Add(new(await Remedies.AllowClientAsync(context, ct), w => w.Allowed = domain));
        }

        if (await context.FindOwnerAsync(recipient, ct) is null)
            changes.Add(new(await Remedies.NameRecipientAsync(context, ct), w => w.Owned = recipient));
        if (recipient.Domain.Literal is null)
            changes.Add(new(await Remedies.AcceptDomainAsync(context, ct), w => w.Accepted.Add(recipient.Domain)));
        changes.Add(new(await Remedies.TrustClientAsync(context, ct), w => w.IsTrusted = true));
        changes.AddRange((await RefusersAsync(known, ct)).Select(
            static rule => new Change($"take {rule} out of rules in postern.yaml, for all whom it refuses", w => w.Out.Add(rule))));
        return changes;
    }

    /// <summary>The rules that an operator wrote and that refuse it, one behind the other where the one before is taken out.</summary>
    private async ValueTask<List<string>> RefusersAsync(Account? known, CancellationToken ct)
    {
        var world = new World(directory, now.Suppressions, facts, known);
        while (world.Out.Count < MostChanges
            && await DecideAsync(world, ct) is { IsPermit: false, Rule: var rule }
            && RelayRules.StagesOf(rule).Count > 0
            && world.Out.Add(rule))
        {
            // The next one is asked in its place.
        }

        return [.. world.Out];
    }

    private ValueTask<Decision> DecideAsync(World world, CancellationToken ct)
    {
        var options = now.Options;
        var changed = options with
        {
            Networks = world.IsTrusted ? options.Networks.Add(OnlyOf(facts.Client)) : options.Networks,
            ClientRules = Left(options.ClientRules),
            HeloRules = Left(options.HeloRules),
            SenderRules = Left(options.SenderRules),
            RecipientRules = Left(options.RecipientRules),
            MessageRules = Left(options.MessageRules),
            Limits = options.Limits with { Lifted = [.. world.Lifted] },
            Classes = options.Classes.ToImmutableSortedDictionary(static l => l.Key, l => Left(l.Value), StringComparer.Ordinal),
        };
        var policy = new RelayPolicy(
            changed, world, NoAuditLog.Instance, now.Clock, now.Counters, directoryOf: null, suppressions: null, now.Names, now.Tables);
        return policy.DryRunAsync(world.Facts, sender, recipient, ct);

        ImmutableArray<RuleEntry> Left(ImmutableArray<RuleEntry> entries) =>
            world.Out.Count == 0 ? entries : [.. entries.Where(entry => !world.Out.Contains(entry.Word))];
    }

    private const string Anybody = "\u0001"; // a name that no account has

    private static Account OwnOf(string login) =>
        new(login, Enabled: true, Mailbox.TryParse(login, out var own) ? [own.Canonical] : [], []);

    private async ValueTask<bool> PermitsAsync(IReadOnlyList<Change> some, Account? known, CancellationToken ct)
    {
        var world = new World(directory, now.Suppressions, facts, known);
        foreach (var change in some)
            change.Make(world);
        // A network is allowed for a domain that is there.
        if (world.Allowed is { } allowed && !world.Listed.Contains(allowed) && !await directory.IsListedAsync(allowed, ct))
            return false;
        return (await DecideAsync(world, ct)).IsPermit;
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
    private sealed class World(IDirectory before, ISuppressions? suppressions, EnvelopeFacts facts, Account? account)
        : IDirectory, ISuppressions
    {
        public bool IsUnsuppressed { get; set; }

        public EnvelopeFacts Facts { get; set; } = facts;

        public Account? Account { get; set; } = account;

        public HashSet<Domain> Listed { get; } = [];

        public HashSet<Domain> Accepted { get; } = [];

        public Domain? Allowed { get; set; }

        public Mailbox? Owned { get; set; }

        public bool IsTrusted { get; set; }

        /// <summary>Limits that are raised.</summary>
        public HashSet<LimitName> Lifted { get; } = [];

        /// <summary>Rules that are written no more.</summary>
        public HashSet<string> Out { get; } = new(StringComparer.Ordinal);

        public ValueTask<Suppression?> FindSuppressionAsync(string? tenant, Mailbox recipient, CancellationToken ct) =>
            IsUnsuppressed || suppressions is null ? default : suppressions.FindSuppressionAsync(tenant, recipient, ct);

        public ValueTask<Account?> FindAccountAsync(string name, CancellationToken ct) =>
            name == Facts.Login ? new(Account) : before.FindAccountAsync(name, ct);

        public ValueTask<StoredCredential?> FindCredentialAsync(string name, string id, CancellationToken ct) =>
            before.FindCredentialAsync(name, id, ct);

        public ValueTask<string?> FindOwnerAsync(Mailbox address, CancellationToken ct) =>
            address.Equals(Owned) ? new(address.Canonical) : before.FindOwnerAsync(address, ct);

        public ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct) =>
            Listed.Contains(domain) || Accepted.Contains(domain) ? new(true) : before.IsListedAsync(domain, ct);

        public ValueTask<bool> AcceptsRecipientsAsync(Domain domain, CancellationToken ct) =>
            Accepted.Contains(domain) ? new(true) : before.AcceptsRecipientsAsync(domain, ct);

        public async ValueTask<IPNetwork?> FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct) =>
            await before.FindNetworkAsync(client, domain, ct) ?? (Allowed is { } allowed && allowed.Equals(domain) ? OnlyOf(client) : null);
    }
}
