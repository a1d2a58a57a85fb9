using System.Collections.Immutable;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>One entry of <c>oauth</c>: whose tokens are believed, and for what.</summary>
/// <param name="Issuer">Must equal the <c>iss</c> of a token, character by character (RFC 7519 §4.1.1).</param>
/// <param name="Keys">Where the issuer's key set is: <c>file:</c> or <c>https:</c>; null where tokens are introspected.</param>
/// <param name="Introspection">The endpoint of RFC 7662; null where tokens are verified here.</param>
/// <param name="Audience">Must be in the <c>aud</c> of a token.</param>
/// <param name="UserClaim">The claim that holds the user's name.</param>
public sealed record TokenIssuer(string Issuer, Uri? Keys, IntrospectionEndpoint? Introspection, string Audience, string UserClaim = "sub")
{
    /// <summary>The signature algorithms that are accepted; a part of those of RFC 7518 with public keys.</summary>
    public ImmutableArray<string> Algorithms { get; init; } = [.. SignatureAlgorithm.All.Keys.Order(StringComparer.Ordinal)];

    /// <summary>How far the issuer's clock may differ from this one.</summary>
    public TimeSpan Leeway { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A scope that a token must have; null for any.</summary>
    public string? Scope { get; init; }
}
