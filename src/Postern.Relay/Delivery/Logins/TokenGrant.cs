using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;

namespace Postern.Relay.Delivery.Logins;

/// <summary>
/// How an access token for a next hop is had (RFC 6749): whom it is asked of, as whom, and by what right. A value: equal grants share one
/// token.
/// </summary>
/// <param name="Account">Whose mail it is, as the next hop knows it; tells apart what is kept for several.</param>
/// <param name="Kind">By what right.</param>
/// <param name="TokenUrl"><c>https</c>, or <c>http</c> to this machine.</param>
public sealed record TokenGrant(string Account, GrantKind Kind, Uri TokenUrl, string ClientId)
{
    /// <summary>Null for a public client.</summary>
    public Secret? ClientSecret { get; init; }

    /// <summary>Words separated by spaces; null for what the server gives.</summary>
    public string? Scope { get; init; }

    /// <summary>
    /// For <see cref="GrantKind.RefreshToken"/>: the one to begin with. Null: only what <c>postern oauth login</c> has kept.
    /// </summary>
    public Secret? RefreshToken { get; init; }

    /// <summary>Where a person confirms that this server may (RFC 8628); null where nobody is asked.</summary>
    public Uri? DeviceUrl { get; init; }

    /// <summary>For <see cref="GrantKind.JwtBearer"/>.</summary>
    public AssertionKey? Key { get; init; }

    /// <summary>The file in which what the server gave is kept, below a directory of them.</summary>
    public string FileName
    {
        get
        {
            var whose = SHA256.HashData(Encoding.UTF8.GetBytes($"{TokenUrl}\n{ClientId}\n{Account}\n{Scope}"));
            return $"{Convert.ToHexStringLower(whose.AsSpan(0, 12))}.json";
        }
    }
}

/// <summary>By what right a token is asked for.</summary>
public enum GrantKind
{
    /// <summary>The application's own (RFC 6749 §4.4).</summary>
    ClientCredentials,

    /// <summary>Somebody allowed it once (RFC 6749 §6).</summary>
    RefreshToken,

    /// <summary>An assertion that a key of this server signs (RFC 7523 §2.1).</summary>
    JwtBearer,
}

/// <summary>What signs an assertion (RFC 7523 §3), by RS256.</summary>
/// <param name="Pem">The private key.</param>
/// <param name="Id">Of the key, as the server knows it; null for none.</param>
/// <param name="Issuer">Who asserts.</param>
/// <param name="Subject">On whose behalf.</param>
/// <param name="Audience">Who is to believe it.</param>
public sealed record AssertionKey(Secret Pem, string? Id, string Issuer, string Subject, string Audience)
{
    /// <summary>Why it cannot sign; null where it can.</summary>
    public string? WhyNot => JwtAssertion.WhyNot(this);
}
