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

    public ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) => new(user switch
    {
        "alice" => new LoginAnswer.Found<ScramSecret>(user, ScramSecret.Derive(algorithm, Password, "salt"u8, 4096)),
        "weak" => new LoginAnswer.Refused(SaslError.TooWeak, "too weak"),
        "new" => new LoginAnswer.Refused(SaslError.TransitionNeeded, "no secret yet"),
        "down" => new LoginAnswer.Unavailable("down"),
        _ => new LoginAnswer.NoMatch("unknown", UserExists: false),
    });

    public ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct) => new(user switch
    {
        "alice" => new LoginAnswer.Found<SharedSecret>(user, new(Encoding.UTF8.GetBytes(Password))),
        _ => Without(user),
    });

    public ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) => new(Without(user));

    public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) => new(token switch
    {
        "good-token" => new LoginAnswer.Match("alice"),
        "weak-token" => new LoginAnswer.Refused(SaslError.TooWeak, "too weak"),
        _ => new LoginAnswer.NoMatch("expired"),
    });

    private static LoginAnswer Without(string user) => user switch
    {
        "weak" => new LoginAnswer.Refused(SaslError.TooWeak, "too weak"),
        "new" => new LoginAnswer.Refused(SaslError.TransitionNeeded, "no secret yet"),
        "down" => new LoginAnswer.Unavailable("down"),
        _ => new LoginAnswer.NoMatch("unknown", UserExists: false),
    };
}
