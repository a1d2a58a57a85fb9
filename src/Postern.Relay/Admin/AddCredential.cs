using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;

namespace Postern.Relay.Admin;

/// <summary>One more secret for an account.</summary>
/// <param name="Typed">A password that a person chose; null has one generated.</param>
/// <param name="Label">Where it is used, such as <c>printer</c>; unique within the account.</param>
/// <param name="ExpiresAfter">Counted from now; null never.</param>
public sealed record AddCredential(string Account, Secret? Typed = null, string? Label = null, TimeSpan? ExpiresAfter = null)
{
    /// <summary>How it is kept.</summary>
    public HashScheme Scheme { get; init; } = HashSchemes.Usual;

    /// <summary>The one whose place it takes, at once; its label stays, and its end, unless others are said. Null for one more.</summary>
    public RevokeCredential? Replaces { get; init; }

    /// <summary>Of DIGEST-MD5; null for other schemes.</summary>
    public string? Realm { get; init; }
}

/// <summary>Makes a secret useless at once.</summary>
/// <param name="Credential">Its label, or its number with or without <c>#</c>; may be null when the account has but one.</param>
public sealed record RevokeCredential(string Account, string? Credential = null);
