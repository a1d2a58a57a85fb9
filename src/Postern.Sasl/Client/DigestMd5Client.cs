using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Digest;

namespace Postern.Sasl.Client;

/// <summary>DIGEST-MD5 (RFC 2831), qop=auth; the server has to prove itself by rspauth.</summary>
public sealed class DigestMd5Client : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static DigestMd5Client Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "DIGEST-MD5";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        ClientText.Prepare(credentials) is var (user, password, actAs) ? new Exchange(credentials, user, password, actAs) : null;

    internal sealed class Exchange(SaslClientCredentials credentials, string user, string password, string actAs) : ISaslClientExchange
    {
        /// <summary>RFC 2831 §2.1.1: a digest-challenge has less than 2,048 octets.</summary>
        private const int MaxChallengeOctets = 2047;

        private int step;
        private string? expected;

        public bool MayTrustSuccess { get; private set; }

        /// <summary>Fixed by tests that replay a recorded dialogue.</summary>
        internal string ClientNonce { get; init; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));

        public SaslClientStep Next(ReadOnlyMemory<byte>? challenge) => (step++, challenge) switch
        {
            (0, _) => SaslClientStep.Response.None,
            (1, { Length: <= MaxChallengeOctets } text) => Answer(text.Span),
            (2, { Length: <= MaxChallengeOctets } text) => Verify(text.Span),
            _ => new SaslClientStep.Cancel("the server sent no challenge, or too much"),
        };

        public void Dispose()
        {
        }

        private SaslClientStep Answer(ReadOnlySpan<byte> challenge)
        {
            if (!DigestDirectives.TryParse(challenge, MaxChallengeOctets, out var said) || said["nonce"] is not { Length: > 0 } nonce)
                return new SaslClientStep.Cancel("the server's challenge is malformed");
            if (!string.Equals(said["algorithm"], "md5-sess", StringComparison.OrdinalIgnoreCase))
                return new SaslClientStep.Cancel("the server wants another algorithm than md5-sess");
            if (said["qop"] is { } qop
                && !qop.Split(',', StringSplitOptions.TrimEntries).Contains("auth", StringComparer.OrdinalIgnoreCase))
                return new SaslClientStep.Cancel("the server insists on a security layer");
            var isUtf8 = said["charset"] is not null;
            var realm = credentials.Realm ?? (said.Realms.Count > 0 ? said.Realms[0] : string.Empty);
            if (!isUtf8 && (user.Any(static c => c > 'ÿ') || !Ascii.IsValid(realm) || !Ascii.IsValid(actAs)))
                return new SaslClientStep.Cancel("the server does not take UTF-8, and ISO 8859-1 cannot write these names");
            var uri = $"{credentials.Service}/{credentials.Host}";
            const string Count = "00000001";
            var secret = DigestFunctions.Secret(user, realm, password);
            var proof = DigestFunctions.Response(secret, nonce, ClientNonce, Count, uri, actAs, "AUTHENTICATE");
            expected = "rspauth=" + DigestFunctions.Response(secret, nonce, ClientNonce, Count, uri, actAs, string.Empty);
            CryptographicOperations.ZeroMemory(secret);

            var response = new StringBuilder();
            if (isUtf8)
                response.Append("charset=utf-8,");
            response.Append("username=").Append(Quote(user));
            if (realm.Length > 0)
                response.Append(",realm=").Append(Quote(realm));
            response.Append(",nonce=").Append(Quote(nonce)).Append(",nc=").Append(Count).Append(",cnonce=").Append(Quote(ClientNonce));
            response.Append(",digest-uri=").Append(Quote(uri)).Append(",response=").Append(proof).Append(",qop=auth");
            if (actAs.Length > 0)
                response.Append(",authzid=").Append(Quote(actAs));
            return new SaslClientStep.Response((isUtf8 ? Encoding.UTF8 : Encoding.Latin1).GetBytes(response.ToString()));
        }

        private SaslClientStep Verify(ReadOnlySpan<byte> challenge)
        {
            MayTrustSuccess = CryptographicOperations.FixedTimeEquals(challenge, Encoding.ASCII.GetBytes(expected!));
            return MayTrustSuccess
                ? SaslClientStep.Response.Empty
                : new SaslClientStep.Cancel("the server could not prove that it knows the password");
        }

        private static string Quote(string text) =>
            $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
