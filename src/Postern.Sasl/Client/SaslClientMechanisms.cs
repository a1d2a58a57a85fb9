namespace Postern.Sasl.Client;

/// <summary>Every client mechanism of this library, strongest first: the order in which a client tries them.</summary>
public static class SaslClientMechanisms
{
    /// <summary>In order of preference.</summary>
    public static IReadOnlyList<ISaslClientMechanism> All { get; } =
    [
        ExternalClient.Instance,
        GssapiClient.Instance,
        ScramClient.Sha512Plus,
        ScramClient.Sha256Plus,
        ScramClient.Sha1Plus,
        ScramClient.Sha512,
        ScramClient.Sha256,
        ScramClient.Sha1,
        OAuthBearerClient.Instance,
        XOAuth2Client.Instance,
        DigestMd5Client.Instance,
        CramMd5Client.Instance,
        PlainClient.Instance,
        LoginClient.Instance,
        AnonymousClient.Instance,
    ];

    /// <summary>
    /// The strongest mechanism that the server offers, the credentials suit and <paramref name="allowed"/> lists; null for none. A
    /// mechanism that exposes the secret is chosen only where <paramref name="isVerified"/>: TLS, and the certificate is the server's.
    /// </summary>
    /// <param name="allowed">
    /// Names; null for all but ANONYMOUS. A pinned list is what keeps somebody in between from taking the strong ones off the offer.
    /// </param>
    public static (ISaslClientMechanism Mechanism, ISaslClientExchange Exchange)? Choose(
        IReadOnlyCollection<string> offered,
        SaslClientCredentials credentials,
        bool isVerified,
        IReadOnlyCollection<string>? allowed = null)
    {
        var offersBinding = offered.Any(static name => name.EndsWith("-PLUS", StringComparison.OrdinalIgnoreCase));
        foreach (var mechanism in All)
        {
            if (!Has(offered, mechanism.Name) || (mechanism.ExposesSecret && !isVerified))
                continue;
            if (allowed is null ? mechanism == AnonymousClient.Instance : !Has(allowed, mechanism.Name))
                continue;
            if ((mechanism is ScramClient scram ? scram.TryStart(
                credentials, offersBinding) : mechanism.TryStart(credentials)) is { } exchange)
                return (mechanism, exchange);
        }

        return null;
    }

    private static bool Has(IReadOnlyCollection<string> names, string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);
}
