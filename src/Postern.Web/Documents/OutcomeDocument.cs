using Postern.Relay.Admin;

namespace Postern.Web.Documents;

/// <summary>What became of a change of the directory.</summary>
/// <param name="Outcome"><c>done</c>, <c>alreadyThere</c>, <c>notFound</c> or <c>invalid</c>.</param>
/// <param name="Credential">What was added, of a new credential only.</param>
/// <param name="Secret">The generated secret, this once.</param>
internal sealed record OutcomeDocument(bool Ok, string Outcome, string Message, CredentialDetails? Credential, string? Secret)
{
    /// <summary>
    /// Sessions of a running server that ended with what was taken away; null where no server runs, or it could not be asked.
    /// </summary>
    public int? SessionsEnded { get; init; }

    public static OutcomeDocument Of(AdminOutcome outcome, bool? ok = null)
    {
        var (word, good) = outcome switch
        {
            AdminOutcome.Done or AdminOutcome.Issued => ("done", true),
            AdminOutcome.AlreadyThere => ("alreadyThere", true),
            AdminOutcome.NotFound => ("notFound", false),
            _ => ("invalid", false),
        };
        var issued = outcome as AdminOutcome.Issued;
        return new OutcomeDocument(ok ?? good, word, outcome.Message, issued?.Credential, issued?.Generated?.Reveal());
    }
}
