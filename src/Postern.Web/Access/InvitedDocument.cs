namespace Postern.Web.Access;

/// <summary>A code that was made, this once.</summary>
/// <param name="Outcome"><c>done</c>.</param>
/// <param name="Link">Where the code is to be used: it stands behind the <c>#</c>, which no browser sends. Null without a console.</param>
internal sealed record InvitedDocument(
    bool Ok, string Outcome, string Message, InvitationDetails Invitation, string Code, string? Link)
{
    public static InvitedDocument Of(Invited invited, string? console) =>
        new(
            Ok: true,
            "done",
            invited.Message,
            invited.Invitation,
            invited.Code.Reveal(),
            console is null ? null : LinkOf(invited, console));

    /// <param name="console">Where the pages are, such as <c>https://postern.example.org</c>.</param>
    public static string LinkOf(Invited invited, string console) => $"{console.TrimEnd('/')}/setup#{invited.Code.Reveal()}";

    /// <summary>The sentence, and not the code.</summary>
    public override string ToString() => Message;
}
