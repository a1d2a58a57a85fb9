using Postern.Configuration.Reading;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;

namespace Postern.Configuration;

/// <summary><c>delivery.reports</c>: how senders and the postmaster are told.</summary>
/// <param name="PerAddress">Reports to one address in an hour that go out by themselves.</param>
/// <param name="Gather">How long further ones wait for each other.</param>
/// <param name="TellsOfLost">The postmaster hears of reports that cannot be delivered.</param>
internal sealed record ReportsOptions(int PerAddress, TimeSpan Gather, bool TellsOfLost)
{
    private static readonly Kind<bool> Lost = Kinds.Word(("postmaster", true), ("log", false));

    private static readonly DeliveryOptions Defaults = new() { Hostname = Postern.Smtp.Grammar.Domain.Parse("localhost") };

    public static ReportsOptions Read(Section section) => new(
        section.Value(
            "per_address",
            Kinds.Count,
            Defaults.ReportsPerAddress,
            "500",
            "Reports to one address in an hour that go out by themselves. Further ones are gathered, and sent together in one message, "
                + "each whole; none is left out. Programs that read reports may want all of them by themselves: then write a number that "
                + "is never reached."),
        section.Value(
            "gather",
            Kinds.Duration,
            Defaults.ReportsGatheredFor,
            "10m",
            "How long reports to an address that has more than so many wait for each other, at most."),
        section.Value(
            "lost",
            Lost,
            fallback: true,
            "`postmaster`",
            "A report that cannot be delivered is told to `server.postmaster`, at most twenty an hour, or stands in the log only."));
}

/// <summary>One entry of <c>delivery.bounces</c>.</summary>
internal static class BounceRowOptions
{
    private static readonly Kind<string> Status = new(
        "status", "a status such as 5.7.1, 5.7.* or x.2.2", static (text, out value) => BounceRow.IsStatus(value = text), []);

    private static readonly Kind<string> Code = new(
        "code",
        "a code such as 550, or its first digits",
        static (text, out value) => (value = text) is [>= '4' and <= '5', ..] and { Length: <= 3 } && text.All(char.IsAsciiDigit),
        []);

    private static readonly Kind<string> Category = new(
        "category",
        $"one of {string.Join(", ", BounceCategory.All.Select(static one => one.Word))}, or a word of your own, of letters, digits and _",
        static (text, out value) =>
            (value = text).Length is > 0 and <= 40 && char.IsAsciiLetterLower(text[0])
            && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'),
        []);

    public static BounceRow Read(Section section)
    {
        var row = new BounceRow(section.Required(
            "category",
            Category,
            "What such a refusal is called in the log and the queue: a category of [bounces](bounces.md), or a word of your own."))
        {
            Status = section.Value("status", Status, null!, "any", "The enhanced status: `5.7.1`; `x.7.1` for 4 and 5; `5.7.*`."),
            Code = section.Value("code", Code, null!, "any", "The code of the reply, or its first digits: `554`, `4`."),
            Text = section.Value("text", Kinds.Text, null!, "any", "Words that stand somewhere in the reply, in any case."),
        };
        if (!row.IsBound && !section.Has("status") && !section.Has("code") && !section.Has("text"))
            section.ReportMissing("text", "at least one of 'status', 'code' and 'text': this entry would be for every refusal");
        return row;
    }
}
