using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Admin;
using Postern.Relay.Spool;
using Postern.Web.Api;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>The second press for a change of messages in the queue: what each action means, said once.</summary>
internal static class QueueAsk
{
    /// <summary>Where the form goes.</summary>
    public const string Action = "/queue/changes";

    /// <summary>The field that holds the count.</summary>
    public const string Shown = "shown";

    private static readonly ImmutableArray<(QueueAction Action, string Word, string Verb, string Meaning, bool IsForGood)> All =
    [
        (QueueAction.Hold, "hold", "Hold", "No attempt is made until they are released.", false),
        (QueueAction.Release, "release", "Release", "They are due at once.", false),
        (QueueAction.Retry, "retry", "Retry now", "They are due at once, whatever the schedule says. What is held stays held.", false),
        (QueueAction.Reroute, "reroute", "Send another way", "They go that way, whatever the routes say; nothing is as they say.", false),
        (QueueAction.Bounce, "bounce", "Give up", "Nothing more is tried, and their senders are told.", true),
        (QueueAction.Remove, "remove", "Remove", "They are deleted, and nobody is told. This cannot be taken back.", true),
    ];

    /// <summary>Null for a word that is no action here.</summary>
    public static QueueAction? Find(string? word) =>
        All.Where(one => one.Word == word).Select(static one => (QueueAction?)one.Action).FirstOrDefault();

    /// <param name="count">Messages that are meant, counted now.</param>
    /// <param name="filter">The same messages, as of the moment when they were counted.</param>
    /// <param name="back">The page without the question.</param>
    public static Confirmation Of(QueueAction action, QueueQuery query, QueueFilter filter, int count, string back)
    {
        var (_, word, verb, meaning, isForGood) = All.First(one => one.Action == action);
        return new Confirmation(
            $"{verb}: {Figures.Count(count, "message")}", verb, Action, back, count, query.Command(word))
        {
            Meaning = count == 0 ? "No message fits any more." : meaning,
            IsForGood = isForGood,
            Fields =
            [
                ("action", word), ("return", back), (Shown, count.ToString(CultureInfo.InvariantCulture)), .. QueueParameters.Pairs(filter),
            ],
            Asked = action switch
            {
                QueueAction.Bounce => [("with", "What their senders are told")],
                QueueAction.Reroute => [("with", "Way, as a route's via is written")],
                _ => [],
            },
            MayTell = true,
        };
    }
}
