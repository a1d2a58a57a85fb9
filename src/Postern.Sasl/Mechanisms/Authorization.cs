namespace Postern.Sasl.Mechanisms;

/// <summary>The end that all mechanisms share: an authenticated user, perhaps another identity it wants to act as, and one answer (RFC 4422 §3.4.1).</summary>
internal static class Authorization
{
    public static async ValueTask<SaslStep> DecideAsync(SaslContext context, string user, string actAs, CancellationToken ct, ReadOnlyMemory<byte>? data = null)
    {
        if (actAs.Length == 0 || string.Equals(actAs, user, StringComparison.Ordinal))
            return new SaslStep.Success(new SaslIdentity(user, user), data);
        return context.Grants is { } grants && await grants.ActAsAsync(user, actAs, ct) is { } granted
            ? new SaslStep.Success(new SaslIdentity(user, granted), data)
            : new SaslStep.Failure(SaslError.BadCredentials, user, "the secret is right, but the user may not act as the authorization identity it asked for", UserExists: true);
    }
}
