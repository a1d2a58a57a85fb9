using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Rules;
using Postern.Relay.Policy.Watching;

namespace Postern.Relay.Policy.Explaining;

/// <summary>
/// The fewest changes after which a refused message would be permitted: each is tried on the code that decides, in the order in which they
/// give rights away, the least first. What the rules of the chain would each be changed by says less: another rule may refuse then.
/// </summary>
internal sealed class ShortestChange(PolicyWorld now, PolicyQuestion question)
{
    private const int MostChanges = 3;

    private const string Anybody = "\u0001"; // a name that no account has

    private readonly IDirectory directory = now.DirectoryOf(question.Facts.Listener);
    private readonly EnvelopeFacts facts = question.Facts;

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
        var (mends, last, takenOut) = await OfRefusersAsync(known, ct);
        var context = new RuleContext(now, question);
        List<Change> changes =
        [
            .. mends,
            .. await OfLoginAsync(context, known, ct),
            .. await OfSenderAsync(context, ct),
            .. await OfRecipientAsync(context, ct),
            new(await Remedies.TrustClientAsync(context, ct), static w => w.IsTrusted = true),
            .. last,
            .. takenOut,
        ];
        return [.. changes.DistinctBy(static change => change.Said)];
    }

    private async ValueTask<List<Change>> OfLoginAsync(RuleContext context, Account? known, CancellationToken ct)
    {
        var changes = new List<Change>();
        foreach (var (limit, raise) in await LimitJudge.OverAsync(context, ct))
            changes.Add(new(raise, w => w.Lifted.Add(limit)));
        if (await context.FindCredentialAsync(ct) is { Limits.Senders.IsEmpty: false })
            changes.Add(new(await Remedies.WidenCredentialAsync(context, ct), static w => w.Facts = w.Facts with { Credential = null }));
        var sender = question.Sender.Mailbox;
        if (facts.Login is { } login)
        {
            if (known is not { Enabled: true })
                changes.Add(
                    new(
                        await Remedies.RestoreAccountAsync(context, ct),
                        w => w.Account = known is null ? OwnOf(login) : known with { Enabled = true }));
            if (sender is not null)
                changes.Add(
                    new(
                        await Remedies.GrantSenderAsync(context, ct),
                        w => w.Account = w.Account is { } account
                            ? account with { Addresses = account.Addresses.Add(sender.Canonical) }
                            : null));
        }
        else if (facts.OffersAuth || facts.OffersAuthAfterTls)
        {
            var whose = sender is not null ? $" as an account that may send as {sender}" : string.Empty;
            changes.Add(new(await Remedies.LogInAsync(context, ct) + whose, w =>
            {
                w.Facts = w.Facts with { Login = Anybody, Tls = w.Facts.OffersAuth ? w.Facts.Tls : w.Facts.Tls ?? EnvelopeFacts.UsualTls };
                w.Account = new Account(Anybody, Enabled: true, sender is not null ? [sender.Canonical] : [], []);
            }));
        }

        return changes;
    }

    private async ValueTask<List<Change>> OfSenderAsync(RuleContext context, CancellationToken ct)
    {
        if (question.Sender.Mailbox is not { Domain: { Literal: null } domain })
            return [];
        List<Change> changes = [new(await Remedies.ListDomainAsync(context, ct), w => w.Listed.Add(domain))];
        if (facts.Login is null)
            changes.Add(new(await Remedies.AllowClientAsync(context, ct), w => w.Allowed = domain));
        return changes;
    }

    private async ValueTask<List<Change>> OfRecipientAsync(RuleContext context, CancellationToken ct)
    {
        if (question.Recipient is not { } recipient)
            return [];
        var changes = new List<Change>();
        if (await context.FindSuppressionAsync(recipient, ct) is { } suppressed)
            changes.Add(new(RejectSuppressedRecipient.RemedyFor(suppressed), static w => w.IsUnsuppressed = true));
        if (await context.FindOwnerAsync(recipient, ct) is null)
            changes.Add(new(await Remedies.NameRecipientAsync(context, ct), w => w.Owned = recipient));
        if (recipient.Domain.Literal is null)
            changes.Add(new(await Remedies.AcceptDomainAsync(context, ct), w => w.Accepted.Add(recipient.Domain)));
        return changes;
    }

    /// <summary>
    /// What the rules that refuse it say themselves, one behind the other where the one before is taken out; and that each is taken out.
    /// </summary>
    /// <returns><c>Last</c> is what helps where no rule permits: it says more than the changes that a rule asks for.</returns>
    private async ValueTask<(List<Change> Mends, List<Change> Last, List<Change> TakenOut)> OfRefusersAsync(
        Account? known, CancellationToken ct)
    {
        var (mends, last, takenOut) = (new List<Change>(), new List<Change>(), new List<Change>());
        var world = WorldOf(known);
        for (var i = 0; i < MostChanges; i++)
        {
            if (await JudgeAsync(world, ct) is not { Context: var context, Decider: { Rule: var rule, Answer: RuleAnswer.Refuse refuse } })
                break;
            var isRule = RelayRules.StagesOf(rule).Count > 0;
            if (refuse is { Mend: { } mend, Remedy: { } remedy })
                (isRule ? mends : last).Add(new Change(await remedy(context, ct), mend));
            if (isRule && world.Out.Add(rule))
                takenOut.Add(new($"take {rule} out of rules in postern.yaml, for all whom it refuses", w => w.Out.Add(rule)));
            else if (refuse.Mend is { } make)
                make(world); // what stands in no list, or is asked whether it does or not, cannot be taken out
            else
                break;
        }

        return (mends, last, takenOut);
    }

    private MendedWorld WorldOf(Account? known) => new(now, directory, facts, known);

    private ValueTask<Judged> JudgeAsync(MendedWorld world, CancellationToken ct)
    {
        var policy = new RelayPolicy(
            world.Judged(now.Options),
            world,
            NoAuditLog.Instance,
            now.Clock,
            counters: world,
            directoryOf: null,
            suppressions: world,
            names: world,
            now.Tables,
            world.Waived)
        {
            Suspended = now.Suspended,
            Resumed = world.Resumed,
            Watch = world.IsForgiven ? NobodyWatches.Instance : now.Watch,
        };
        return policy.RehearseAsync(question with { Facts = world.Facts, Header = world.Judged(question.Header) }, ct);
    }

    private static Account OwnOf(string login) =>
        new(login, Enabled: true, Smtp.Grammar.Mailbox.TryParse(login, out var own) ? [own.Canonical] : [], []);

    private async ValueTask<bool> PermitsAsync(IReadOnlyList<Change> some, Account? known, CancellationToken ct)
    {
        var world = WorldOf(known);
        foreach (var change in some)
            change.Make(world);
        // A network is allowed for a domain that is there.
        if (world.Allowed is { } allowed && !world.Listed.Contains(allowed) && !await directory.IsListedAsync(allowed, ct))
            return false;
        return !(await JudgeAsync(world, ct)).IsRefusal;
    }

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

    private sealed record Change(string Said, Mend Make);
}
