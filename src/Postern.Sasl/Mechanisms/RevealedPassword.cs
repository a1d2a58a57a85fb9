using System.Text;
using System.Text.Unicode;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>The end that PLAIN and LOGIN share: a user, a password in clear, perhaps an authorization identity, and one answer.</summary>
internal sealed class RevealedPassword(SaslContext context)
{
    /// <summary>RFC 4616 §2 bounds each field at 255 code points; four octets each.</summary>
    private const int MaxFieldOctets = 255 * 4;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public async ValueTask<SaslStep> CheckAsync(
        ReadOnlyMemory<byte> authorizationId, ReadOnlyMemory<byte> authenticationId, ReadOnlyMemory<byte> password, CancellationToken ct)
    {
        if (!TryName(authenticationId.Span, out var user) || user.Length == 0)
            return new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "the user name is empty or not a name");
        if (!TryName(authorizationId.Span, out var actAs))
            return new SaslStep.Failure(SaslError.BadCredentials, user, "the authorization identity is not a name");
        if (password.IsEmpty || password.Length > MaxFieldOctets || !Utf8.IsValid(password.Span) || password.Span.Contains((byte)0))
            return new SaslStep.Failure(SaslError.BadCredentials, user, "the password is empty, too long, or not text");

        switch (await context.Passwords!.CheckAsync(user, password, context.Peer, ct))
        {
            case PasswordCheck.Match(var canonical):
                return await AuthorizeAsync(canonical, actAs, ct);
            case PasswordCheck.Unavailable(var reason):
                return new SaslStep.Failure(SaslError.TemporaryFailure, user, reason);
            case PasswordCheck.NoMatch(var reason, var exists):
                return new SaslStep.Failure(SaslError.BadCredentials, user, reason, exists);
            default:
                return new SaslStep.Failure(SaslError.BadCredentials, user, "the store gave no answer");
        }
    }

    private async ValueTask<SaslStep> AuthorizeAsync(string user, string actAs, CancellationToken ct)
    {
        if (actAs.Length == 0 || string.Equals(actAs, user, StringComparison.Ordinal))
            return new SaslStep.Success(new SaslIdentity(user, user));
        return context.Grants is { } grants && await grants.ActAsAsync(user, actAs, ct) is { } granted
            ? new SaslStep.Success(new SaslIdentity(user, granted))
            : new SaslStep.Failure(SaslError.BadCredentials, user, "the password is right, but the user may not act as the authorization identity it asked for", UserExists: true);
    }

    private static bool TryName(ReadOnlySpan<byte> octets, out string name)
    {
        name = string.Empty;
        if (octets.Length > MaxFieldOctets || !Utf8.IsValid(octets))
            return false;
        name = StrictUtf8.GetString(octets);
        return !name.AsSpan().ContainsAnyInRange('\0', '\u001f') && !name.Contains('\u007f', StringComparison.Ordinal);
    }
}
