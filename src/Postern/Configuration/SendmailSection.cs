using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;

namespace Postern.Configuration;

/// <summary><c>sendmail</c>: mail of this machine's own users and programs, by <c>postern sendmail</c>.</summary>
/// <param name="Drop">Absolute; null for the one in the data directory.</param>
/// <param name="Users">Names of the system; null for everybody.</param>
internal sealed record SendmailSection(string? Drop, ImmutableArray<string>? Users, LocalRules Rules)
{
    /// <summary>Of the directory in the data directory.</summary>
    public const string DropName = "drop";

    public static SendmailSection Read(Section section) => new(
        section.FilePath(
            "drop",
            fallback: null,
            "`drop` in `server.data`, for the server's own user and root",
            "The directory where `postern sendmail` leaves messages and the server takes them up, whether it runs at that moment or not. "
                + "For other users of this machine name one outside of `server.data`, which is the server's user's, has its group, "
                + "and mode 3733: everybody may leave something there, and nobody may look or take anything away."),
        section.Has("users") || section.IsDescribing
            ? section.List(
                "users",
                Kinds.Text,
                [],
                "everybody who may write there",
                "The users of this machine whose messages are taken, by their names; what others leave is kept aside.")
            : null,
        section.Child("rules", ReadRules, "Who of them may send what."));

    /// <summary>Where it is, absolute.</summary>
    public string DropIn(string data) => Drop ?? Path.Combine(data, DropName);

    /// <summary>Whether a user of the system may send.</summary>
    public bool Takes(string user) => Users is not { } listed || listed.Contains(user, StringComparer.Ordinal);

    private static LocalRules ReadRules(Section section)
    {
        var defaults = new LocalRules();
        return new LocalRules
        {
            Sender = RulesOptions.List(
                section,
                RuleStage.Sender,
                defaults.Sender,
                "Asked for the sender, in the place of `rules.sender`. The name of the user is the login: with "
                    + "`reject_sender_login_mismatch` it sends as what an account of its name owns, and no more."),
            Recipient = RulesOptions.List(
                section,
                RuleStage.Recipient,
                defaults.Recipient,
                "Asked for each recipient, in the place of `rules.recipient`. `rules.message` is asked as for every message."),
        };
    }
}
