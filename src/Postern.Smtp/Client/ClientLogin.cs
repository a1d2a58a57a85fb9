using Postern.Sasl.Client;

namespace Postern.Smtp.Client;

/// <summary>A login to make (RFC 4954), and by what it may be made.</summary>
/// <param name="Credentials">
/// Channel bindings are taken from the connection; an empty host is <see cref="SmtpClientOptions.ServerName"/>.
/// </param>
public sealed record ClientLogin(SaslClientCredentials Credentials)
{
    /// <summary>
    /// Names of mechanisms; null for all but ANONYMOUS. A list keeps somebody in between from taking the strong ones off the offer.
    /// </summary>
    public IReadOnlyCollection<string>? Mechanisms { get; init; }

    /// <summary>Lets PLAIN, LOGIN and bearer tokens be sent without TLS, or to a server whose certificate did not verify.</summary>
    public bool AllowsExposure { get; init; }

    /// <summary>Equal credentials by equal means are the same login.</summary>
    public bool Equals(ClientLogin? other) =>
        ReferenceEquals(
            this, other) || (other is not null && Credentials.Equals(other.Credentials) && AllowsExposure == other.AllowsExposure
        && (Mechanisms is null ? other.Mechanisms is null : other.Mechanisms is not null && Mechanisms.SequenceEqual(other.Mechanisms)));

    /// <inheritdoc/>
    public override int GetHashCode() => Credentials.User.GetHashCode(StringComparison.Ordinal);
}
