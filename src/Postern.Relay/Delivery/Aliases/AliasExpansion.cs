using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>
/// What recipients of a message stand for, down to addresses that nothing is written for: arithmetic. An address comes once in a message,
/// whichever ways lead to it. A list within what is expanded stays as it is, to be expanded by itself: its members' reports go to its owner
/// (RFC 5321 §3.9.2).
/// </summary>
/// <param name="Groups">What goes on as a message of its own, each with another reverse-path.</param>
/// <param name="Problems">Recipients that stand for nothing, and why.</param>
internal sealed record AliasExpansion(ImmutableArray<AliasGroup> Groups, ImmutableArray<(int Recipient, string Why)> Problems)
{
    /// <summary>Names behind names.</summary>
    public const int MostDeep = 32;

    /// <summary>Of all recipients of a message.</summary>
    public const int MostTargets = 100_000;

    /// <summary>Names that are looked up for one recipient, each way to one counted by itself.</summary>
    private const int MostSteps = 200_000;

    /// <param name="recipients">Of the envelope; each is one that something is written for.</param>
    public static AliasExpansion Of(AliasTable table, Envelope envelope, IReadOnlyList<int> recipients)
    {
        var groups = new Dictionary<string, Walk>(StringComparer.Ordinal);
        var problems = ImmutableArray.CreateBuilder<(int, string)>();
        // A list keeps the null path: a report about a report would come of another (RFC 5321 §6.1).
        var owners = recipients.ToDictionary(
            static i => i, i => envelope.Sender.IsNull ? null : table.Find(envelope.Recipients[i])?.Owner);
        // Who has the message anyway, and lists that have it anyway, need it from nobody else.
        HashSet<(Mailbox, bool)> taken =
        [
            .. envelope.Recipients.Where((_, i) => !owners.TryGetValue(i, out var owner) || owner is not null)
                .Select(static r => (r, false)),
        ];
        foreach (var (recipient, owner) in owners)
        {
            var own = owner is null ? OwnSenderOf(envelope, recipient) : null;
            var key = (owner ?? own)?.Canonical ?? string.Empty;
            if (!groups.TryGetValue(key, out var walk))
                groups[key] = walk = new Walk(table, envelope, owner, taken) { Sender = own };
            if (walk.Take(recipient, envelope.Recipients[recipient]) is { } why)
                problems.Add((recipient, why));
        }

        return new AliasExpansion(
            [.. groups.Values.Where(static walk => walk.HasSources).Select(static walk => walk.ToGroup())], problems.ToImmutable());
    }

    /// <summary>Whom reports about the recipient go to, where that is an address of its own.</summary>
    private static Mailbox? OwnSenderOf(Envelope envelope, int recipient) =>
        envelope is { Parameters.Verp: { } delimiters, Sender.Mailbox: { } sender }
            ? Verp.Of(sender, envelope.Recipients[recipient], delimiters)
            : null;

    private sealed class Walk
    {
        private readonly AliasTable table;
        private readonly Mailbox? owner;
        private readonly bool isReport;
        private readonly ImmutableArray<Mailbox> through;
        private readonly HashSet<(Mailbox Address, bool IsPlace)> taken;

        /// <summary>Names that have led to something.</summary>
        private readonly HashSet<Mailbox> seen = [];

        private readonly List<Mailbox> seenNow = [];

        /// <summary>What has been looked up.</summary>
        private readonly Dictionary<Mailbox, AliasEntry?> entries = [];

        private readonly HashSet<Mailbox> path = [];
        private readonly List<AliasGroup.Source> sources = [];
        private readonly List<AliasGroup.Target> targets = [];
        private int source;
        private int found;
        private int nowhere;
        private int steps;
        private string? trouble;

        /// <param name="taken">Who has the message, of all groups.</param>
        public Walk(AliasTable table, Envelope envelope, Mailbox? owner, HashSet<(Mailbox Address, bool IsPlace)> taken)
        {
            (this.table, this.owner, this.taken) = (table, owner, taken);
            isReport = envelope.Sender.IsNull;
            through = envelope.Expanded?.Through ?? [];
        }

        /// <summary>In the place of the message's; null for that.</summary>
        public Mailbox? Sender { get; init; }

        public bool HasSources => sources.Count > 0;

        /// <summary>Why the recipient stands for nothing; null where it stands for something, were it nobody.</summary>
        public string? Take(int recipient, Mailbox address)
        {
            (source, found, nowhere, steps, trouble) = (recipient, 0, 0, 0, null);
            seenNow.Clear();
            var count = targets.Count;
            Visit(address, deep: 0);
            if (trouble is null && found == 0)
                trouble = "it stands for names that stand for each other, in a circle";
            if (trouble is not null)
            {
                foreach (var target in targets.Skip(count))
                    taken.Remove((target.Address, target.IsPlace));
                targets.RemoveRange(count, targets.Count - count);
                seen.ExceptWith(seenNow);
                return trouble;
            }

            sources.Add(new AliasGroup.Source(recipient, found) { IsNowhere = found == nowhere });
            return null;
        }

        public AliasGroup ToGroup() => new(owner, [.. sources], [.. targets], through) { Sender = Sender };

        private void Visit(Mailbox address, int deep)
        {
            if (!entries.TryGetValue(address, out var entry))
                entries[address] = entry = table.Find(address);
            if (entry is null)
            {
                Add(address);
                return;
            }

            if (deep > 0 && !isReport && entry.Owner is not null && !entry.Owner.Equals(owner))
            {
                if (!through.Contains(address))
                    Add(address, isOpen: true);
                return;
            }

            if (path.Contains(address) || (deep > 0 && through.Contains(address)))
                return;
            if (seen.Contains(address))
                found++;                             // by another way, and taken there
            else if (deep > MostDeep)
                trouble ??= $"more than {MostDeep} names stand behind each other";
            else if (++steps > MostSteps)
                trouble ??= "the names behind it stand for each other in too many ways";
            else
                VisitAll(address, entry, deep);
        }

        private void VisitAll(Mailbox address, AliasEntry entry, int deep)
        {
            trouble ??= entry.Problem;
            path.Add(address);
            var before = found;
            foreach (var target in entry.Targets)
            {
                if (trouble is not null)
                    break;
                switch (target)
                {
                    case AliasTarget.Local:
                        Add(address, isPlace: true);
                        break;
                    case AliasTarget.Nowhere:
                        found++;
                        nowhere++;
                        break;
                    case var other when AddressOf(other, address, entry.Extension) is not { } next:
                        trouble = $"'{other.Stored[1..]}' makes no address of {address}";
                        break;
                    case AliasTarget.Address { IsFinal: true } or AliasTarget.Name { IsFinal: true }:
                        Add(AddressOf(target, address, entry.Extension)!);
                        break;
                    default:
                        var named = AddressOf(target, address, entry.Extension)!;
                        if (named.Equals(address))
                            Add(named);              // a name that stands for itself too is a mailbox
                        else
                            Visit(named, deep + 1);
                        break;
                }
            }

            path.Remove(address);
            if (found > before && seen.Add(address))
                seenNow.Add(address);
        }

        private static Mailbox? AddressOf(AliasTarget target, Mailbox asked, string? extension) => target switch
        {
            AliasTarget.Address address => Extended(address.Mailbox, extension),
            AliasTarget.Name name => Mailbox.TryParse($"{name.LocalPart}@{asked.Domain.Text}", out var mailbox) ? mailbox : null,
            AliasTarget.SameNameAt same => Mailbox.TryParse($"{asked.LocalPart}@{same.Domain.Text}", out var mailbox) ? mailbox : null,
            _ => null,
        };

        /// <summary>As Postfix's virtual(5): what the address had behind its + goes on with the mail.</summary>
        private static Mailbox? Extended(Mailbox mailbox, string? extension) =>
            extension is null || mailbox.LocalPart.StartsWith('"') || mailbox.LocalPart.Contains('+', StringComparison.Ordinal) ? mailbox
            : Mailbox.TryParse($"{mailbox.LocalPart}+{extension}@{mailbox.Domain.Text}", out var extended) ? extended
            : mailbox;

        private void Add(Mailbox address, bool isPlace = false, bool isOpen = false)
        {
            found++;
            if (!taken.Add((address, isPlace)))
                return;
            if (targets.Count >= MostTargets)
                trouble ??= $"it stands for more than {MostTargets} addresses";
            else
                targets.Add(new AliasGroup.Target(address, source, isPlace, isOpen));
        }
    }
}

/// <summary>Recipients that go on with one reverse-path.</summary>
/// <param name="Owner">Of the list that they are; null: the sender of the message stays (RFC 5321 §3.9.1).</param>
/// <param name="Through">Names that lists before it were expanded from, so that lists that name each other come to an end.</param>
internal sealed record AliasGroup(
    Mailbox? Owner, ImmutableArray<AliasGroup.Source> Sources, ImmutableArray<AliasGroup.Target> Targets, ImmutableArray<Mailbox> Through)
{
    /// <summary>Where it has no owner: the sender that the recipient has for its own (XVERP); null for that of the message.</summary>
    public Mailbox? Sender { get; init; }

    /// <summary>A recipient of the message.</summary>
    /// <param name="Targets">What it stands for, counting what others stand for too.</param>
    internal readonly record struct Source(int Recipient, int Targets)
    {
        /// <summary>What it stands for throws the message away.</summary>
        public bool IsNowhere { get; init; }
    }

    /// <param name="Source">The recipient of the message that led to it.</param>
    /// <param name="IsPlace">It is the command or the mailbox that is written for the address.</param>
    /// <param name="IsOpen">It is a list, to be expanded by itself.</param>
    internal readonly record struct Target(Mailbox Address, int Source, bool IsPlace, bool IsOpen);
}
