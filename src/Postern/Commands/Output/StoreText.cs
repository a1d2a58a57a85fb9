using System.Globalization;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Web.Documents;

namespace Postern.Commands.Output;

/// <summary>How a store of accounts answers, for people: what matters first.</summary>
internal static class StoreText
{
    public static string Describe(StoreCondition store) => string.Join("; ", Parts(store).Where(static part => part is not null));

    public static string Describe(StatusDocument.PasswordMemory passwords) => passwords.Asked == 0
        ? "none shown so far"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{passwords.Asked} shown, {Percent(passwords.Remembered, passwords.Asked)} known to be right without hashing");

    private static IEnumerable<string?> Parts(StoreCondition store)
    {
        yield return store switch
        {
            { AnswersFromMemory: true, Failure: { } trouble } => $"CANNOT ANSWER: {trouble}",
            { AnswersFromMemory: true } => "answers from memory",
            { DownSince: { } since } => $"DOWN since {TimeText.Format(since)}: {store.Failure}; {store.InOutage}",
            { AnsweredAt: null } => "not asked so far",
            _ => string.Create(CultureInfo.InvariantCulture, $"answers, last in {store.Milliseconds:0} ms"),
        };
        if (store.Logins is { } logins)
            yield return $"for {logins}";
        if (!store.Mechanisms.IsEmpty)
            yield return $"offers {string.Join(' ', store.Mechanisms)} itself";
        if (store.AnswersFromMemory)
            yield break;
        var all = store.Asked + store.FromMemory;
        if (all > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{all} questions, {Percent(store.FromMemory, all)} from memory");
        if (store.UnderWay > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{store.UnderWay} of {store.Most} under way");
        if (store.Waiting > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{store.Waiting} wait for a turn");
        if (store.Unanswered > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{store.Unanswered} not answered");
        if (store.TurnedAway > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{store.TurnedAway} refused as busy");
        if (store.StoodIn > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{store.StoodIn} answered by what was said before");
        if (store is { DownSince: null, FailedAt: { } at })
            yield return $"last failure {TimeText.Format(at)}: {store.Failure}";
    }

    private static string Percent(long part, long whole) =>
        string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:0.0} %");
}
