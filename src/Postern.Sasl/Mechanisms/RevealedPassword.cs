using System.Text.Unicode;
using Postern.Sasl.Preparation;

namespace Postern.Sasl.Mechanisms;

/// <summary>The end that PLAIN and LOGIN share: a user, a password in clear, perhaps an authorization identity, and one answer.</summary>
internal sealed class RevealedPassword(SaslContext context)
{
    /// <summary>RFC 4616 §2 bounds each field at 255 code points; four octets each.</summary>
    private const int MaxFieldOctets = 255 * 4;

    public async ValueTask<SaslStep> CheckAsync(
        ReadOnlyMemory<byte> authorizationId, ReadOnlyMemory<byte> authenticationId, ReadOnlyMemory<byte> password, CancellationToken ct)
    {
        if (!TryName(authenticationId.Span, out var user) || user.Length == 0)
            return new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "the user name is empty or not a name");
        if (!TryName(authorizationId.Span, out var actAs))
            return new SaslStep.Failure(SaslError.BadCredentials, user, "the authorization identity is not a name");
        if (password.IsEmpty || password.Length > MaxFieldOctets || !Utf8.IsValid(password.Span) || password.Span.Contains((byte)0))
            return new SaslStep.Failure(SaslError.BadCredentials, user, "the password is empty, too long, or not text");

        return await Authorization.DecideAsync(
            context, await context.Passwords!.CheckAsync(user, password, context.Peer, context.Connection, ct), user, actAs, ct);
    }

    /// <summary>SASLprep (RFC 4616 §2): a name that it prohibits belongs to nobody.</summary>
    private static bool TryName(ReadOnlySpan<byte> octets, out string name) =>
        StrictUtf8.TryDecode(octets, MaxFieldOctets, out name) && SaslPrep.TryPrepareQuery(name, out name);
}
