using System.Collections.Immutable;
using Microsoft.IdentityModel.Tokens;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>One entry of <c>oauth</c>: whose tokens are believed, and for what.</summary>
/// <param name="Issuer">Must equal the <c>iss</c> of a token, character by character (RFC 7519 §4.1.1).</param>
/// <param name="Keys">Where the issuer's key set is: <c>file:</c> or <c>https:</c>; null where tokens are introspected.</param>
/// <param name="Introspection">The endpoint of RFC 7662; null where tokens are verified here.</param>
/// <param name="Audience">Must be in the <c>aud</c> of a token.</param>
/// <param name="UserClaim">The claim that holds the user's name.</param>
public sealed record TokenIssuer(string Issuer, Uri? Keys, IntrospectionEndpoint? Introspection, string Audience, string UserClaim = "sub")
{
    /// <summary>
    /// The signature algorithms of RFC 7518 §3 with public keys. The list is closed: "none" is not on it, and neither is HMAC, for whose
    /// key a public key could be passed off.
    /// </summary>
    internal static ImmutableArray<string> AllAlgorithms { get; } =
    [
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
    ];

    /// <summary>The signature algorithms that are accepted; a part of <see cref="AllAlgorithms"/>.</summary>
    public ImmutableArray<string> Algorithms { get; init; } = AllAlgorithms;

    /// <summary>How far the issuer's clock may differ from this one.</summary>
    public TimeSpan Leeway { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A scope that a token must have; null for any.</summary>
    public string? Scope { get; init; }
}
