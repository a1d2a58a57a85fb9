using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Policy;

namespace Postern.Configuration;

/// <summary>
/// <c>rules</c>: who may send what, as ordered lists; the first rule that does not pass decides, the end of the recipient list refuses.
/// </summary>
internal sealed record RulesOptions(ImmutableArray<RuleEntry> Sender, ImmutableArray<RuleEntry> Recipient)
{
    private static readonly Kind<bool> SenderFields = Kinds.Word(("trace", true), ("keep", false));

    private static readonly PolicyOptions Defaults = new();

    public ImmutableArray<RuleEntry> Client { get; init; } = [];

    public ImmutableArray<RuleEntry> Helo { get; init; } = [];

    public ImmutableArray<RuleEntry> Message { get; init; } = [];

    /// <summary>Lists that have a name, to be asked by others.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> Classes { get; init; } = Defaults.Classes;

    public TimeSpan Patience { get; init; } = Defaults.Patience;

    /// <summary>Whether a login is named in a message of it that names somebody else.</summary>
    public bool TracesSenders { get; init; } = true;

    public static RulesOptions Read(Section section)
    {
        var named = new NamedLists(section);
        var client = named.List(
            RuleStage.Client,
            Defaults.ClientRules,
            "Asked at MAIL FROM, first: a client that is refused when it connects would not know why, "
                + "and nobody would know what it wanted. An entry is a word, a word and its argument (`reject_clients 192.0.2.0/24`), "
                + "or a word with arguments (`{ reject_over_limit: { messages: 500/1h } }`); `on_error: defer`, "
                + "`pass` or `refuse` among them says what counts where a rule cannot see what it needs: 451, the next rule, or 550. "
                + "With `warn_if_` before its word a rule is on trial: what it would decide stands in every decision and is counted in "
                + "`status`, and nothing comes of it.");
        var helo = named.List(RuleStage.Helo, Defaults.HeloRules, "Asked at MAIL FROM, second.");
        var sender = named.List(RuleStage.Sender, Defaults.SenderRules, "Asked at MAIL FROM, in this order.");
        var recipient = named.List(
            RuleStage.Recipient,
            Defaults.RecipientRules,
            "Asked at RCPT TO, in this order. Nothing is relayed that no rule permits.");
        var message = named.List(
            RuleStage.Message,
            Defaults.MessageRules,
            "Asked when the header section of a message is known; the answer comes at its end, in the place of 250.");
        var options = new RulesOptions(sender, recipient)
        {
            Client = client,
            Helo = helo,
            Message = message,
            Classes = named.Read(),
            Patience = section.Value(
                "patience",
                Kinds.Duration,
                Defaults.Patience,
                "10s",
                "How long a rule may look things up before it counts as one that cannot say."),
            TracesSenders = section.Value(
                "sender_field",
                SenderFields,
                fallback: true,
                "`trace`",
                "What becomes of a message by a login that does not own every address in From, or the one in Sender: "
                    + "`trace` writes the reverse-path, or the account's own address, into Sender (RFC 6409 §8.1); where that cannot be, "
                    + "the login into X-Authenticated-Sender. `keep` leaves both as they come."),
        };
        foreach (var (word, doc) in RelayRules.WithArguments)
        {
            section.DescribeWord(word, doc, described =>
            {
                foreach (var stage in RelayRules.StagesOf(word))
                    RelayRules.Read(stage, word, new SectionArguments(described));
            });
        }

        return options;
    }

    /// <summary>Reads the list of one stage, from the key that is called like it.</summary>
    public static ImmutableArray<RuleEntry> List(Section section, RuleStage stage, ImmutableArray<RuleEntry> fallback, string doc) =>
        List(section, stage.ToWord(), [stage], [], fallback, doc);

    /// <summary>Reads a list from a key.</summary>
    /// <param name="stages">Where it is asked.</param>
    /// <param name="classes">The names of lists that it may ask.</param>
    private static ImmutableArray<RuleEntry> List(
        Section section,
        string key,
        ImmutableArray<RuleStage> stages,
        ImmutableArray<string> classes,
        ImmutableArray<RuleEntry> fallback,
        string doc)
    {
        var known = Kinds.NameOf("rule", stages.SelectMany(static stage => RelayRules.Names(stage)).Distinct(StringComparer.Ordinal));
        var words = known with
        {
            Read = (string text, out string word) =>
            {
                var isOnTrial = text.StartsWith(RelayRules.OnTrial, StringComparison.Ordinal);
                var plain = isOnTrial ? text[RelayRules.OnTrial.Length..] : text;
                var isRead = known.Read(plain, out word) || (classes.Contains(plain) && (word = plain).Length > 0);
                word = isOnTrial ? RelayRules.OnTrial + word : word;
                return isRead;
            },
            Why = word => stages.Select(stage => RelayRules.Check(stage, word)).FirstOrDefault(static p => p is not null) is { } problem
                && (problem.Nearest is null || word.StartsWith(RelayRules.OnTrial, StringComparison.Ordinal))
                ? problem.Message
                : null,
        };
        var text = fallback.IsEmpty ? "none" : $"`[{string.Join(", ", fallback)}]`";
        var entries = section.Words(
            key, words, RelayRules.ShorthandOf, (word, arguments) => Entry(stages, word, arguments), fallback, text, doc);
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries.IndexOf(entries[i]) < i)
                section.Report(key, i, $"'{entries[i]}' stands here twice; the second is never asked anything new");
        }

        return entries;
    }

    private static RuleEntry Entry(ImmutableArray<RuleStage> stages, string word, Section section)
    {
        var arguments = new SectionArguments(section);
        if (RelayRules.StagesOf(word) is { Count: > 0 } fitting)
            RelayRules.Read(fitting.Intersect(stages).DefaultIfEmpty(fitting[0]).First(), word, arguments);
        return new RuleEntry(word, arguments.Text);
    }

    /// <summary>
    /// The lists of the stages, and those that have a name: which stages ask one is known when the others have been read.
    /// </summary>
    private sealed class NamedLists(Section section)
    {
        private const string Key = "classes";

        private readonly ImmutableArray<string> names = section.NamesIn(Key);
        private readonly List<(string Key, RuleStage Stage, ImmutableArray<RuleEntry> Entries)> lists = [];

        public ImmutableArray<RuleEntry> List(RuleStage stage, ImmutableArray<RuleEntry> fallback, string doc)
        {
            var entries = RulesOptions.List(section, stage.ToWord(), [stage], names, fallback, doc);
            lists.Add((stage.ToWord(), stage, entries));
            return entries;
        }

        public ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> Read()
        {
            var read = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<RuleEntry>>(StringComparer.Ordinal);
            var asked = lists.SelectMany(static list => Words(list.Entries).Select(word => (Word: word, list.Stage))).ToHashSet();
            section.Child(
                Key,
                classes =>
                {
                    // A list is read when it is known who asks it; what nobody asks, in the end.
                    for (var left = names; !left.IsEmpty; left = left.Remove(left[0]))
                    {
                        var next = left.FirstOrDefault(name => asked.Any(a => a.Word == name), left[0]);
                        left = left.Remove(next).Insert(0, next);
                        if (RelayRules.WhyNotCalled(next) is { } problem)
                            classes.Report(next, problem);
                        ImmutableArray<RuleStage> stages = [.. asked.Where(a => a.Word == next).Select(static a => a.Stage)];
                        read[next] = RulesOptions.List(
                            classes, next, stages.IsEmpty ? [.. Enum.GetValues<RuleStage>()] : stages, names, fallback: [], "A list.");
                        asked.UnionWith(Words(read[next]).SelectMany(word => stages.Select(stage => (word, stage))));
                    }

                    return true;
                },
                "Lists of rules that have a name, which may stand in any list as if they were a rule, before `warn_if_` too "
                    + "(Postfix: restriction classes): `partners: [permit_networks, { reject: only partners here }]`.");
            var all = read.ToImmutable();
            foreach (var (key, stage, entries) in lists)
            {
                for (var i = 0; i < entries.Length; i++)
                {
                    if (RelayRules.WhyNotAsked(entries[i].Word, stage, all) is { } problem)
                        section.Report(key, i, problem);
                }
            }

            return all;
        }

        private static IEnumerable<string> Words(ImmutableArray<RuleEntry> entries) => entries.Select(static entry => entry.PlainWord);
    }
}
