using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Postern.Relay.Policy.Watching;

/// <summary>How unlike its own history a login behaves, and by what.</summary>
/// <param name="Points">The sum of the parts.</param>
/// <param name="Parts">The weightiest first; empty where there is nothing unusual.</param>
public sealed record LoginScore(int Points, ImmutableArray<ScorePart> Parts)
{
    public static LoginScore None { get; } = new(0, []);

    /// <summary><c>+40 new country, +25 nine times its own busiest hour</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var part in Parts)
            text.Append(text.Length == 0 ? string.Empty : ", ").Append(part);
        return text.ToString();
    }
}

/// <summary>One thing that is unusual.</summary>
/// <param name="Now">What was counted; 0 where nothing is.</param>
/// <param name="Own">What this login has had at most, or may have while it is new.</param>
public sealed record ScorePart(ScoreKind Kind, int Points, int Now, int Own)
{
    public override string ToString() => Kind switch
    {
        ScoreKind.NewCountry => Say("a country it never sent from"),
        ScoreKind.NewSystem => Say("a network operator it never sent from"),
        ScoreKind.NewNetwork => Say("a network it never sent from"),
        ScoreKind.SeveralPlaces => Say($"{Now} new countries or operators in a day"),
        ScoreKind.Addresses => Say($"{Now} client addresses in this hour, {Own} so far"),
        ScoreKind.Recipients => Say($"{Now} recipients in this hour, {Own} in its own busiest"),
        ScoreKind.Strangers => Say($"{Now} recipients in a day that it never wrote to, {Own} on its own busiest day"),
        ScoreKind.Domains => Say($"{Now} recipient domains in this hour, {Own} in its own busiest"),
        ScoreKind.Failures => Say($"{Now} % of the recipients of a day failed, {Own} % so far"),
        ScoreKind.Authors => Say($"{Now} senders in a day, {Own} so far"),
        ScoreKind.Repeats => Say($"the same subject to {Now}, {Own} so far"),
        ScoreKind.Pressing => Say($"goes on after {Now} refusals"),
        _ => Say("kept from before"),
    };

    private string Say(string what) => string.Create(CultureInfo.InvariantCulture, $"+{Points} {what}");
}

/// <summary>What can be unusual. Numbers are kept in files: they stay.</summary>
public enum ScoreKind
{
    NewCountry,
    NewSystem,
    NewNetwork,

    /// <summary>Several places at once, none of which it sent from before.</summary>
    SeveralPlaces,
    Addresses,
    Recipients,

    /// <summary>Recipients that it never wrote to.</summary>
    Strangers,
    Domains,
    Failures,
    Authors,

    /// <summary>One content to many.</summary>
    Repeats,

    /// <summary>It goes on while it is slowed.</summary>
    Pressing,
}
