namespace Postern.Interop.Tests.Matrix;

/// <summary>What a client is to log in with.</summary>
/// <param name="Secret">A password, or where the mechanism takes one a token.</param>
internal sealed record Login(string Mechanism, string User, string Secret)
{
    public const string Taken = "235 2.7.0 Authentication successful";
    public const string Refused = "535 5.7.8 Authentication failed";
    public const string Cancelled = "501 5.7.0 Authentication cancelled";

    /// <summary>What a malformed response is answered begins so.</summary>
    public const string Malformed = "501 5.5.2 ";

    public bool IsToken => TakesToken(Mechanism);

    public static bool TakesToken(string mechanism) => mechanism is "OAUTHBEARER" or "XOAUTH2";
}
