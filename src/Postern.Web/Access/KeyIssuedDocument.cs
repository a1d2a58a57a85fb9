namespace Postern.Web.Access;

/// <summary>A key that was made, this once.</summary>
/// <param name="Outcome"><c>done</c>.</param>
internal sealed record KeyIssuedDocument(bool Ok, string Outcome, string Message, KeyDetails Details, string Key)
{
    public static KeyIssuedDocument Of(KeyIssued issued) =>
        new(Ok: true, "done", issued.Message, issued.Details, issued.Key.Reveal());

    /// <summary>The sentence, and not the key.</summary>
    public override string ToString() => Message;
}
