using Postern.Sasl.Preparation;

namespace Postern.Sasl.Mechanisms;

/// <summary>XOAUTH2 (Google's and Microsoft's form before RFC 7628): <c>user=…^Aauth=Bearer …^A^A</c>.</summary>
public sealed class XOAuth2Mechanism : ISaslMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static XOAuth2Mechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "XOAUTH2";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) => context.Tokens is null ? null : new Exchange(new BearerToken(context));

    private sealed class Exchange(BearerToken bearer) : ISaslExchange
    {
        private const int MaxMessageOctets = 12 * 1024;

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (bearer.IsRefused)
                return new(bearer.Refusal);
            if (response is not { } message)
                return new(new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty));
            if (!StrictUtf8.TryDecode(message.Span, MaxMessageOctets, out var text)
                || text.Split('\u0001') is not [var user, var auth, "", ""]
                || !user.StartsWith("user=", StringComparison.Ordinal)
                || !auth.StartsWith("auth=Bearer ", StringComparison.OrdinalIgnoreCase))
                return new(new SaslStep.Failure(SaslError.Malformed, ClaimedUser: null, "not user=, auth=Bearer and two separators"));
            return SaslPrep.TryPrepareQuery(user[5..], out var name) && name.Length > 0
                ? bearer.CheckAsync(auth[12..].Trim(' '), name, isUser: true, ct)
                : new(new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "the user name is empty or not a name"));
        }
    }
}
