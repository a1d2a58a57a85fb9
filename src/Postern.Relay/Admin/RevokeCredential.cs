namespace Postern.Relay.Admin;

/// <summary>Makes a secret useless at once.</summary>
/// <param name="Credential">Its label, or its number with or without <c>#</c>; may be null when the account has but one.</param>
public sealed record RevokeCredential(string Account, string? Credential = null);
