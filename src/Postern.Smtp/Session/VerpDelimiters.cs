namespace Postern.Smtp.Session;

/// <summary>
/// XVERP, as Postfix has it: each recipient's server is told a sender of its own, <c>local+recipient=domain@sender-domain</c>, so that
/// whoever gets the report knows whom it is about. Here with the two characters that stand between.
/// </summary>
/// <param name="Recipient">Before the recipient's local part; one of <see cref="Allowed"/>.</param>
/// <param name="Domain">Before its domain; one of <see cref="Allowed"/>.</param>
public sealed record VerpDelimiters(char Recipient, char Domain)
{
    /// <summary>The characters that may stand between.</summary>
    public const string Allowed = "-=+";

    /// <summary>Those where none are named.</summary>
    public static VerpDelimiters Usual { get; } = new('+', '=');

    /// <summary>Null where it is not two characters of <see cref="Allowed"/>.</summary>
    public static VerpDelimiters? Read(string text) =>
        text is [var recipient, var domain]
        && Allowed.Contains(recipient, StringComparison.Ordinal)
        && Allowed.Contains(domain, StringComparison.Ordinal)
            ? new VerpDelimiters(recipient, domain)
            : null;

    /// <summary>The two characters.</summary>
    public override string ToString() => $"{Recipient}{Domain}";
}
