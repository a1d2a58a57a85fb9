using System.Security.Cryptography;
using System.Text;

namespace Postern.Sasl.Client;

/// <summary>CRAM-MD5 (RFC 2195). It cannot carry an authorization identity.</summary>
public sealed class CramMd5Client : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static CramMd5Client Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "CRAM-MD5";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        credentials.AuthorizationId.Length == 0 && ClientText.Prepare(credentials) is var (user, password, _)
            ? new Exchange(user, password)
            : null;

    private sealed class Exchange(string user, string password) : ISaslClientExchange
    {
        private int step;

        public bool MayTrustSuccess => step == 2;

        public SaslClientStep Next(ReadOnlyMemory<byte>? challenge)
        {
            switch (step++)
            {
                case 0:
                    return SaslClientStep.Response.None;
                case 1 when challenge is { Length: > 0 } text:
#pragma warning disable CA5351 // RFC 2195 is MD5
                    var digest = Convert.ToHexStringLower(HMACMD5.HashData(Encoding.UTF8.GetBytes(password), text.Span));
#pragma warning restore CA5351
                    return new SaslClientStep.Response(Encoding.UTF8.GetBytes($"{user} {digest}"));
                default:
                    return new SaslClientStep.Cancel("the server sent no challenge, or more than one");
            }
        }

        public void Dispose()
        {
        }
    }
}
