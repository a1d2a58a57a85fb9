using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Bounces;

/// <summary>
/// Says which category an outcome has: by the operator's rows, then by words of large receivers, then by the enhanced status (RFC 3463),
/// the code, and the cause. This is the only place where the text of a reply is read, and nothing about a message's next attempt follows
/// from it: categories are shown, counted, told to senders, and kept from addresses that do not exist.
/// </summary>
public sealed class BounceTable
{
    private readonly ImmutableArray<BounceRow> own;
    private readonly SearchValues<string> texts;

    private BounceTable(ImmutableArray<BounceRow> own)
    {
        this.own = own;
        texts = SearchValues.Create([.. BounceRows.ByText.Select(static row => row.Text!)], StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>What ships.</summary>
    public static BounceTable Default { get; } = new([]);

    /// <summary>The operator's rows, asked first and in this order; behind them what ships.</summary>
    public ImmutableArray<BounceRow> Own => own;

    public static BounceTable With(ImmutableArray<BounceRow> own) => own.IsDefaultOrEmpty ? Default : new BounceTable(own);

    /// <summary>Null for a delivery.</summary>
    public string? WordOf(Outcome outcome) => outcome.Cause == DeliveryCause.None ? null : WordOf(outcome.Facts, outcome.Reply);

    /// <summary>The same, of what the queue keeps of an answer that was no delivery.</summary>
    public string WordOf(AnswerFacts answer, string reply) => answer.Trouble ?? OfRefusal(answer, reply);

    /// <summary>The category that a cause is; null where the words and status of a reply say more.</summary>
    internal static string? TroubleOf(DeliveryCause cause) => cause switch
    {
        DeliveryCause.None or DeliveryCause.Refused => null,
        DeliveryCause.Unreachable => "unreachable",
        DeliveryCause.Broken => "connection_broken",
        DeliveryCause.NoRoute => "no_route",
        DeliveryCause.NoTls => "no_tls",
        DeliveryCause.NotCapable => "not_capable",
        DeliveryCause.LoginFailed => "login_failed",
        DeliveryCause.Loop => "loop",
        DeliveryCause.Expired => "expired",
        DeliveryCause.Returned => "returned",
        DeliveryCause.NoTurn => "no_turn",
        DeliveryCause.OwnShortage => "own_shortage",
        DeliveryCause.OwnSurroundings => "own_surroundings",
        _ => "own_mistake",
    };

    /// <summary>
    /// The outcome in plain words for the sender; null for a delivery, for an operator's own category, and for one that is about a server
    /// where none was asked.
    /// </summary>
    public string? SentenceOf(Outcome outcome, Mailbox recipient)
    {
        var word = outcome is { Cause: DeliveryCause.NoRoute, Status: "5.1.2" or "5.1.10" } ? "no_such_domain" : WordOf(outcome);
        var domain = recipient.Domain.Text;
        return word is not null
            && BounceCategory.Find(word) is { } category
            && !(category.IsOfServer && outcome is { Cause: DeliveryCause.Refused, Remote: null })
            ? category.Sentence.Replace("{0}", domain, StringComparison.Ordinal)
            : null;
    }

    private string OfRefusal(AnswerFacts answer, string reply)
    {
        return First(own)
            ?? (answer.IsVerbatim && reply.AsSpan().IndexOfAny(texts) >= 0 ? First(BounceRows.ByText) : null)
            ?? First(BounceRows.ByStatus)
            ?? "refused";

        string? First(ImmutableArray<BounceRow> rows)
        {
            foreach (var row in rows)
            {
                if (row.Fits(answer.Status, answer.Code, reply))
                    return row.Category;
            }

            return null;
        }
    }

    /// <summary>As docs/bounces.md prints it.</summary>
    internal static string ToMarkdown()
    {
        var text = new System.Text.StringBuilder();
        text.Append("| category | hard | what the sender reads |\n|---|---|---|\n");
        foreach (var category in BounceCategory.All)
        {
            var sentence = string.Format(CultureInfo.InvariantCulture, category.Sentence, "example.net");
            text.Append(CultureInfo.InvariantCulture, $"| `{category.Word}` | {(category.IsHard ? "yes" : "")} | {sentence} |\n");
        }

        text.Append("\n| status | code | words | category | whose words |\n|---|---|---|---|---|\n");
        foreach (var row in BounceRows.ByText.Concat(BounceRows.ByStatus))
        {
            var bound = $"{Cell(row.Status)} | {Cell(row.Code)} | {Cell(row.Text)}";
            text.Append(CultureInfo.InvariantCulture, $"| {bound} | `{row.Category}` | {row.From} |\n");
        }

        return text.ToString();

        static string Cell(string? value) => value is null ? "" : $"`{value.Replace("|", "\\|", StringComparison.Ordinal)}`";
    }
}
