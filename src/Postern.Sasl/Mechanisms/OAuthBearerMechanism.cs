using System.Buffers;
using Postern.Sasl.Preparation;
using Postern.Sasl.Scram;

namespace Postern.Sasl.Mechanisms;

/// <summary>OAUTHBEARER (RFC 7628): a bearer token (RFC 6750) behind a GS2 header.</summary>
public sealed class OAuthBearerMechanism : ISaslMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static OAuthBearerMechanism Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "OAUTHBEARER";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public bool TakesInitialResponse => true;

    /// <inheritdoc/>
    public ISaslExchange? TryStart(SaslContext context) => context.Tokens is null ? null : new Exchange(new BearerToken(context));

    private sealed class Exchange(BearerToken bearer) : ISaslExchange
    {
        private const int MaxMessageOctets = 12 * 1024;

        /// <summary>kvsep, and what a value may hold (§3.1): VCHAR, SP, HTAB, CR and LF.</summary>
        private static readonly SearchValues<char> Allowed = SearchValues.Create(
            ['\u0001', '\t', '\r', '\n', .. Enumerable.Range(' ', '~' - ' ' + 1).Select(static c => (char)c)]);

        public ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct)
        {
            if (bearer.IsRefused)
                return new(bearer.Refusal);
            if (response is not { } message)
                return new(new SaslStep.Challenge(ReadOnlyMemory<byte>.Empty));
            if (!StrictUtf8.TryDecode(message.Span, MaxMessageOctets, out var text)
                || !Gs2Header.TryTake(text, out var header, out var rest))
                return new(Malformed("the GS2 header is malformed"));
            if (header.Binding is not null)
                return new(Malformed("this mechanism binds to no channel"));
            if (!TryRead(rest, out var token))
                return new(Malformed("the key/value pairs are malformed, or hold no bearer token"));
            return SaslPrep.TryPrepareQuery(header.AuthorizationId, out var actAs)
                ? bearer.CheckAsync(token, actAs, isUser: false, ct)
                : new(new SaslStep.Failure(SaslError.BadCredentials, ClaimedUser: null, "the authorization identity is not a name"));
        }

        /// <summary>
        /// kvsep *kvpair kvsep, with kvsep %x01 (§3.1). An empty <c>auth=</c> is a question: the answer tells what is wanted (§4.3).
        /// </summary>
        private static bool TryRead(string text, out string token)
        {
            token = string.Empty;
            if (!text.StartsWith('\u0001')
                || !text.EndsWith("\u0001\u0001", StringComparison.Ordinal)
                || text.AsSpan().ContainsAnyExcept(Allowed))
                return false;
            var hasToken = false;
            foreach (var pair in text[1..^1].Split('\u0001', StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals < 1 || !pair[..equals].All(char.IsAsciiLetter))
                    return false;
                if (pair[..equals] != "auth")
                    continue;
                var value = pair[(equals + 1)..];
                if (hasToken || !(value.Length == 0 || value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)))
                    return false;
                hasToken = true;
                token = value.Length == 0 ? value : value[7..].Trim(' ');
            }

            return hasToken;
        }

        private static SaslStep.Failure Malformed(string reason) => new(SaslError.Malformed, ClaimedUser: null, reason);
    }
}
