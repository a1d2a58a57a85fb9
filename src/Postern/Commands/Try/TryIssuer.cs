using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Postern.Commands.Try;

/// <summary>An issuer of bearer tokens, made for one run: a key, the file with its public half, and tokens (RFC 7515, ES256).</summary>
internal sealed class TryIssuer : IDisposable
{
    public const string Name = "https://id.example.org";
    public const string Audience = "postern";
    public const string UserClaim = "email";

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly TimeProvider clock;

    public TryIssuer(string data, TimeProvider clock)
    {
        this.clock = clock;
        var file = Path.Combine(data, "jwks.json");
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        File.WriteAllText(file, $$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}"}]}""");
        Keys = new Uri(file);
    }

    /// <summary>Where its public key is.</summary>
    public Uri Keys { get; }

    public string TokenFor(string user)
    {
        var (name, end) = (JsonEncodedText.Encode(user), (clock.GetUtcNow() + Life).ToUnixTimeSeconds());
        var claims = $$"""{"iss":"{{Name}}","aud":"{{Audience}}","{{UserClaim}}":"{{name}}","exp":{{end}}}""";
        var signed = $"{Base64Url.EncodeToString("""{"alg":"ES256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    public void Dispose() => key.Dispose();
}
