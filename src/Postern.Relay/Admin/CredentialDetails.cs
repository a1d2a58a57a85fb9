namespace Postern.Relay.Admin;

/// <summary>A credential as an operator sees it: everything but the secret and its hash.</summary>
/// <param name="Scheme">How it is stored: <c>SCRAM-SHA-256</c>, <c>$y$</c>, or <c>unknown</c>.</param>
public sealed record CredentialDetails(
    long Id, string Account, string? Label, string Scheme, bool Generated, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, bool Expired)
{
    /// <summary>Why whoever steals what is stored soon has the password; null where that is slow.</summary>
    public string? Weakness { get; init; }
}
