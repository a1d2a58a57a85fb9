using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>
/// Which addresses are others' names. What is written for an address counts before what is written for it without its <c>+extension</c>,
/// and that before what is written for its whole domain; in each case forwards before aliases, and files in their order. Immutable.
/// </summary>
public sealed class AliasTable
{
    /// <summary>A mailbox has no more.</summary>
    private const int MostNameOctets = 1024;

    private readonly ImmutableArray<AliasFile> files;

    private AliasTable(ImmutableArray<AliasFile> files) => this.files = files;

    /// <summary>No address is another's name.</summary>
    public static AliasTable Empty { get; } = new([]);

    /// <summary>Whose addresses stand for the senders they were made of; null for nobody's.</summary>
    private Srs? Srs { get; init; }

    public bool IsEmpty => files.IsEmpty && Srs is null;

    /// <summary>The files, in the order in which they are asked, and how many names stand in each.</summary>
    public ImmutableArray<(AliasSource Source, int Names)> Sources => [.. files.Select(static file => (file.Source, file.Index.Count))];

    /// <summary>Reads all files.</summary>
    public static AliasLoad Load(IReadOnlyList<AliasSource> sources)
    {
        var (problems, doubts) = (new List<AliasProblem>(), new List<AliasProblem>());
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        var all = sources.Select((source, i) => AliasFile.Read(source, i, problems, doubts, read)).ToList();
        var table = all.Count == 0 ? Empty : new AliasTable([.. all.OrderBy(static f => f.Source.Form == AliasForm.Aliases)]);
        return new AliasLoad(table, [.. problems], [.. doubts], read.ToFrozenDictionary(StringComparer.Ordinal))
        {
            Included = [.. read.Keys.Except(sources.Select(static s => s.File), StringComparer.Ordinal)],
        };
    }

    /// <summary>The same, and rewritten addresses stand for the senders they were made of.</summary>
    public AliasTable With(Srs? srs) => srs is null ? this : new AliasTable(files) { Srs = srs };

    /// <summary>What an address expands to for a message that somebody asks about.</summary>
    public AliasAnswer? Explain(Envelope envelope, int recipient)
    {
        if (IsEmpty || Find(envelope.Recipients[recipient]) is not { } entry)
            return null;
        var expansion = AliasExpansion.Of(this, envelope, [recipient]);
        return new AliasAnswer(
            entry.Place,
            expansion.Groups.IsEmpty || expansion.Groups[0].Owner is not { } owner ? null : owner.Address,
            [.. expansion.Groups.SelectMany(static group => group.Targets).Select(target =>
                new AliasAnswer.Target(target.Address, target.IsPlace ? HopOf(target.Address).Name : null))],
            expansion.Problems.IsEmpty ? null : expansion.Problems[0].Why);
    }

    /// <summary>Names that lead nowhere, as they lead in a circle or too deep: at most so many.</summary>
    public ImmutableArray<AliasProblem> Circles(int most)
    {
        var found = ImmutableArray.CreateBuilder<AliasProblem>();
        for (var i = 0; i < files.Length && found.Count < most; i++)
        {
            var entries = files[i].Index.All();
            while (found.Count < most && entries.TryNext())
            {
                if (WhyLost(files[i], Encoding.UTF8.GetString(entries.Name)) is { } why)
                    found.Add(new AliasProblem(files[i].Number, files[i].Source.File, entries.Line, why));
            }
        }

        return found.ToImmutable();
    }

    /// <summary>Something is written for the address.</summary>
    internal bool Has(Mailbox address) => !IsEmpty && (Srs?.Read(address, now: null) is not null || TryFind(address, out _));

    /// <summary>What is written for the address; null where nothing is.</summary>
    internal AliasEntry? Find(Mailbox address)
    {
        if (Srs?.Read(address, now: null) is { } rewritten)
            return AliasEntry.Of(rewritten);
        if (IsEmpty || !TryFind(address, out var at))
            return null;
        return new AliasEntry(
            at.File.Source.File,
            at.Line,
            [.. at.Value.Split('\n').Select(AliasTarget.OfStored)],
            OwnerOf(address, at),
            at.File.Source.Form == AliasForm.Forwards ? at.Extension : null);
    }

    /// <summary>A list whose file says so is sent to each member with a sender of its own.</summary>
    internal bool SendsByVerp(Envelope envelope, AliasGroup list) =>
        list.Sources.Any(source => TryFind(envelope.Recipients[source.Recipient], out var at) && at.File.Source.SendsByVerp);

    /// <summary>The command or the mailbox that is written for an address; where there is none any more, what fails mail for it.</summary>
    internal NextHop HopOf(Mailbox address) => new NextHop.Elsewhere(
        Find(address)?.Targets.OfType<AliasTarget.Local>().FirstOrDefault()?.Place
            ?? new ErrorPlace("no place", Code: 550, new(5, 1, 1), "No command or mailbox is named for this address any more"));

    /// <summary>Whom reports on mail to a list go to (<c>owner-name</c>); null for what is no list.</summary>
    private static Mailbox? OwnerOf(Mailbox address, in Found at)
    {
        const string Owner = "owner-";
        return at.Name is { } name
            && at.File.Source.Form == AliasForm.Aliases
            && !name.StartsWith(Owner, StringComparison.Ordinal)
            && !name.StartsWith('"')
            && at.File.Index.TryFind(Encoding.UTF8.GetBytes(Owner + name), out _, out _)
            && Mailbox.TryParse($"{Owner}{name}@{address.Domain.Text}", out var owner)
                ? owner
                : null;
    }

    private bool TryFind(Mailbox address, out Found found)
    {
        var canonical = address.Canonical;
        var local = canonical[..canonical.LastIndexOf('@')];
        if (TryFind(canonical, local, address.Domain, extension: null, out found))
            return true;
        if (local[0] != '"' && local.IndexOf('+', StringComparison.Ordinal) is > 0 and var plus
            && TryFind($"{local[..plus]}@{address.Domain.Text}", local[..plus], address.Domain, local[(plus + 1)..], out found))
            return true;
        return TryFind("@" + address.Domain.Text, name: null, address.Domain, extension: null, out found);
    }

    private bool TryFind(string whole, string? name, Domain domain, string? extension, out Found found)
    {
        Span<byte> octets = stackalloc byte[MostNameOctets];
        foreach (var file in files)
        {
            if (file.Source.Form == AliasForm.Forwards
                && file.Index.TryFind(octets[..Encoding.UTF8.GetBytes(whole, octets)], out var line, out var value))
            {
                found = new Found(file, line, Encoding.UTF8.GetString(value), Name: null, extension);
                return true;
            }

            if (name is not null
                && file.Source.Domains.Contains(domain)
                && file.Index.TryFind(octets[..Encoding.UTF8.GetBytes(name, octets)], out line, out value))
            {
                found = new Found(file, line, Encoding.UTF8.GetString(value), name, extension);
                return true;
            }
        }

        found = default;
        return false;
    }

    private string? WhyLost(AliasFile file, string name)
    {
        var text = name.StartsWith('@') ? null
            : file.Source.Form == AliasForm.Forwards && name.LastIndexOf('@') > 0 && !name.EndsWith('"') ? name
            : file.Source.Domains.IsEmpty ? null
            : $"{name}@{file.Source.Domains[0].Text}";
        return Mailbox.TryParse(text, out var address)
            && Find(address) is { } entry
            && entry.Targets.Any(target => target is AliasTarget.Address or AliasTarget.Name)
            && AliasExpansion.Of(this, EnvelopeTo(address), [0]) is { Problems: [var problem] }
                ? $"mail to {address} fails: {problem.Why}"
                : null;
    }

    private static Envelope EnvelopeTo(Mailbox address) =>
        new() { Id = default, ArrivedAt = default, Said = new(new ReversePath(address), [address]) };

    /// <param name="Value">As it is kept.</param>
    /// <param name="Name">The name without a domain by which it was found; null where it stands with its domain.</param>
    /// <param name="Extension">What stands behind the + of the address, where it was found without it.</param>
    private readonly record struct Found(AliasFile File, int Line, string Value, string? Name, string? Extension);
}

/// <summary>What is written for an address.</summary>
/// <param name="Line">0 where no file says it.</param>
/// <param name="Owner">Whom reports go to where it is a list; null where it is none.</param>
/// <param name="Extension">To be kept in what it expands to; null for nothing.</param>
internal sealed record AliasEntry(string File, int Line, ImmutableArray<AliasTarget> Targets, Mailbox? Owner, string? Extension)
{
    /// <summary>For people.</summary>
    public string Place => Line == 0 ? File : $"{File}:{Line}";

    /// <summary>Why it stands for nothing; null where it stands for something.</summary>
    public string? Problem { get; private init; }

    /// <summary>An address that was made of a sender's.</summary>
    public static AliasEntry Of(SrsAnswer rewritten) => rewritten switch
    {
        SrsAnswer.Leads(var sender) => new("delivery.srs", Line: 0, [new AliasTarget.Address(sender, IsFinal: false)], null, null),
        SrsAnswer.Refused(var why) => new("delivery.srs", Line: 0, [], null, null) { Problem = why },
        _ => throw new ArgumentOutOfRangeException(nameof(rewritten)),
    };
}

/// <summary>What reading the files came to.</summary>
/// <param name="Problems">Where there are any, the table is not to be used.</param>
/// <param name="Doubts">What should be known all the same.</param>
/// <param name="Files">Every file that was read, includes among them, with SHA-256 of its content in hexadecimal digits.</param>
public sealed record AliasLoad(
    AliasTable Table,
    ImmutableArray<AliasProblem> Problems,
    ImmutableArray<AliasProblem> Doubts,
    IReadOnlyDictionary<string, string> Files)
{
    /// <summary>Those of them that no source is, but a line of one.</summary>
    public required ImmutableArray<string> Included { get; init; }
}

/// <summary>What an address stands for, for people.</summary>
/// <param name="From">The file and the line.</param>
/// <param name="Owner">The reverse-path of mail that goes on from there, where it is a list; null: that of the message.</param>
/// <param name="Problem">Why mail for it fails; null where it does not.</param>
public sealed record AliasAnswer(string From, string? Owner, ImmutableArray<AliasAnswer.Target> Targets, string? Problem)
{
    /// <param name="Place">The command or the Maildir that it is; null for an address, which has its route.</param>
    public sealed record Target(Mailbox Address, string? Place);
}
