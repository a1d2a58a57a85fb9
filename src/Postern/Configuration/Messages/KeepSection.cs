using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Spool.Kept;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Messages;

/// <summary><c>keep</c>: content that is kept after the end of the delivery.</summary>
internal sealed record KeepSection(ImmutableArray<KeepRule> Content, long Most)
{
    /// <summary>How long content is kept, or that it is not.</summary>
    public static Kind<TimeSpan> Time { get; } = new(
        "duration | `off`", "a time from 1m to 3650d such as 7d, or 'off'", TryTime, []);

    public static KeepSection Read(Section section)
    {
        var keep = new KeepSection(
            section.Children(
                "content",
                ReadRule,
                [],
                "Whose content is kept. What is said of a login counts before what is said of a domain, and that before what is said of a "
                    + "tenant; what `postern account` says of an account counts before all of it. What counts is what is said when a "
                    + "message is accepted. Left out: nobody's, but for such accounts."),
            section.Value(
                "most",
                Kinds.Size,
                KeepRules.None.MostOctets,
                "5GB",
                "All that is kept together, by configuration or account; beyond it those messages go first whose time ends first. "
                    + "Short of room on the disk, what is kept goes before the log stops and before mail is refused."));
        foreach (var (rule, i) in keep.Content.Select(static (rule, i) => (rule, i)))
        {
            if (keep.Content.Take(i).Any(earlier => IsSame(earlier, rule)))
                section.Report("content", i, $"there is an entry for {NameOf(rule)} before");
        }

        return keep;
    }

    public KeepRules ToRules() => new(Content) { MostOctets = Most };

    private static KeepRule ReadRule(Section section)
    {
        var rule = new KeepRule(section.Required(
            "for",
            Time,
            "How long, from the end of the delivery on, delivered or not. `off`: not at all, whatever a wider entry says."))
        {
            Login = section.Value<string?>("login", Kinds.Text!, fallback: null, "none", "Of messages that this login submits."),
            Domain = section.Value<Domain?>(
                "domain",
                Kinds.DomainName!,
                fallback: null,
                "none",
                "Of messages whose sender is in this domain; where mail is only taken because it is for a domain of ours, "
                    + "of those with a recipient in it."),
            Tenant = section.Value<string?>("tenant", Kinds.Text!, fallback: null, "none", "Of messages of this tenant's accounts."),
        };
        string[] said = [.. ((string[])["login", "domain", "tenant"]).Where(section.Has)];
        if (said.Length == 0)
            section.ReportMissing("login", "one of 'login', 'domain' and 'tenant'");
        else if (said.Length > 1)
            section.Report(said[1], $"this entry is for a {said[0]} already", "an entry of its own");
        return rule;
    }

    private static bool IsSame(KeepRule one, KeepRule other) =>
        (one.Login, one.Tenant, one.Domain) != (null, null, null)
        && string.Equals(one.Login, other.Login, StringComparison.OrdinalIgnoreCase)
        && string.Equals(one.Tenant, other.Tenant, StringComparison.OrdinalIgnoreCase)
        && Equals(one.Domain, other.Domain);

    private static string NameOf(KeepRule rule) => rule.Login ?? rule.Domain?.Text ?? rule.Tenant ?? "nobody";

    private static bool TryTime(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (text == "off")
            return true;
        return DurationText.TryParse(text, out value) && value >= KeepRule.Least && value <= KeepRule.Longest
            && value.Ticks % TimeSpan.TicksPerSecond == 0;
    }
}
