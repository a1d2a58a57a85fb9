using Postern.Sasl.Client;

namespace Postern.Smtp.Client;

/// <summary>Says why no mechanism could be chosen, for the people who have to change that.</summary>
internal static class LoginProspects
{
    private const int MostNames = 12;

    public static string WhyNone(IReadOnlyList<string> offered, SaslClientCredentials credentials, IReadOnlyCollection<string>? allowed, bool isTls)
    {
        if (offered.Count == 0)
            return "the server offers no AUTH";
        if (SaslClientMechanisms.Choose(offered, credentials, isVerified: true, allowed) is not var (mechanism, exchange))
            return $"the server offers {string.Join(' ', offered.Take(MostNames))}: none that is allowed and has what it needs";
        exchange.Dispose();
        return $"{mechanism.Name} would show the secret: {(isTls ? "the server's certificate did not verify" : "the connection has no TLS")}";
    }
}
