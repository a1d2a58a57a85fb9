using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Testing;

/// <summary>
/// What mechanisms beyond PLAIN and LOGIN ask: CRAM-MD5 and SCRAM know <c>alice</c> with <c>secret</c>, tokens are <c>good-token</c> of <c>alice</c>.
/// The user <c>weak</c> may not log in by any of them, <c>new</c> not yet, <c>down</c> stands for a store that cannot answer.
/// </summary>
public sealed class TestSecrets : IScramSecrets, ISharedSecrets, IDigestSecrets, ITokenVerifier
{
    private const string Password = "secret";

    public IReadOnlyList<string> Realms => ["mail.example.org"];

    public bool Serves(HashAlgorithmName algorithm) => algorithm == HashAlgorithmName.SHA256;

    public ValueTask<ScramLookup> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) => new(user switch
    {
        "alice" => new ScramLookup.Found(user, ScramSecret.Derive(algorithm, Password, "salt"u8, 4096)),
        "weak" => new ScramLookup.Refused(SaslError.TooWeak, "too weak"),
        "new" => new ScramLookup.Refused(SaslError.TransitionNeeded, "no secret yet"),
        "down" => new ScramLookup.Unavailable("down"),
        _ => new ScramLookup.Absent("unknown", UserExists: false),
    });

    public ValueTask<SecretLookup> FindSecretAsync(string user, string? peer, CancellationToken ct) => new(user switch
    {
        "alice" => new SecretLookup.Found(user, Encoding.UTF8.GetBytes(Password)),
        _ => Without(user),
    });

    public ValueTask<SecretLookup> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) => new(Without(user));

    public ValueTask<TokenCheck> CheckTokenAsync(string token, string? peer, CancellationToken ct) => new(token switch
    {
        "good-token" => new TokenCheck.Match("alice"),
        "weak-token" => new TokenCheck.Refused(SaslError.TooWeak, "too weak"),
        _ => new TokenCheck.NoMatch("expired"),
    });

    private static SecretLookup Without(string user) => user switch
    {
        "weak" => new SecretLookup.Refused(SaslError.TooWeak, "too weak"),
        "new" => new SecretLookup.Refused(SaslError.TransitionNeeded, "no secret yet"),
        "down" => new SecretLookup.Unavailable("down"),
        _ => new SecretLookup.Absent("unknown", UserExists: false),
    };
}
