using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>delivery.suppression</c>: what becomes of addresses that bounce for good.</summary>
/// <param name="Lasts">How long they are kept from mail; null: they are not.</param>
internal sealed record SuppressionOptions(TimeSpan? Lasts)
{
    /// <summary>Which asks the list.</summary>
    public const string Rule = "reject_suppressed_recipient";

    public static SuppressionOptions Read(Section section)
    {
        var adds = section.Value(
            "hard_bounces",
            Kinds.Word(("true", true), ("false", false)),
            fallback: false,
            "false",
            "`true`: a recipient that a next hop refuses for a reason that stays (*hard* in [bounces](bounces.md)) is put on the "
                + "suppression list of the sender's tenant. Further mail there is refused at RCPT, where `rules.recipient` has "
                + "`reject_suppressed_recipient`.");
        var lasts = section.Value(
            "ttl", Kinds.Duration, TimeSpan.FromDays(30), "30d", "How long such an entry counts. One by `postern suppression add` stays.");
        return new SuppressionOptions(adds ? lasts : null);
    }
}
