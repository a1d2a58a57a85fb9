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

    public TimeSpan Patience { get; init; } = Defaults.Patience;

    /// <summary>Whether a login is named in a message of it that names somebody else.</summary>
    public bool TracesSenders { get; init; } = true;

    public static RulesOptions Read(Section section)
    {
        var client = List(
            section,
            RuleStage.Client,
            Defaults.ClientRules,
            "Asked at MAIL FROM, first: a client that is refused when it connects would not know why, "
                + "and nobody would know what it wanted. An entry is a word, a word and its argument (`reject_clients 192.0.2.0/24`), "
                + "or a word with arguments (`{ reject_over_limit: { messages: 500/1h } }`); `on_error: defer`, "
                + "`pass` or `refuse` among them says what counts where a rule cannot see what it needs: 451, the next rule, or 550.");
        var helo = List(section, RuleStage.Helo, Defaults.HeloRules, "Asked at MAIL FROM, second.");
        var sender = List(section, RuleStage.Sender, Defaults.SenderRules, "Asked at MAIL FROM, in this order.");
        var recipient = List(
            section,
            RuleStage.Recipient,
            Defaults.RecipientRules,
            "Asked at RCPT TO, in this order. Nothing is relayed that no rule permits.");
        var options = new RulesOptions(sender, recipient)
        {
            Client = client,
            Helo = helo,
            Message = List(
                section,
                RuleStage.Message,
                Defaults.MessageRules,
                "Asked when the header section of a message is known; the answer comes at its end, in the place of 250."),
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
    public static ImmutableArray<RuleEntry> List(Section section, RuleStage stage, ImmutableArray<RuleEntry> fallback, string doc)
    {
        var key = stage.ToWord();
        var words = Kinds.NameOf("rule", RelayRules.Names(stage)) with
        {
            Why = word => RelayRules.Check(stage, word) is { Nearest: null, Message: var message } ? message : null,
        };
        var text = fallback.IsEmpty ? "none" : $"`[{string.Join(", ", fallback)}]`";
        var entries = section.Words(
            key, words, RelayRules.ShorthandOf, (word, arguments) => Entry(stage, word, arguments), fallback, text, doc);
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries.IndexOf(entries[i]) < i)
                section.Report(key, i, $"'{entries[i]}' stands here twice; the second is never asked anything new");
        }

        return entries;
    }

    private static RuleEntry Entry(RuleStage stage, string word, Section section)
    {
        var arguments = new SectionArguments(section);
        RelayRules.Read(stage, word, arguments);
        return new RuleEntry(word, arguments.Text);
    }
}
