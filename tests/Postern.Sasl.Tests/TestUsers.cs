using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Digest;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Tests;

/// <summary>
/// One store that can answer everything: <c>lisa</c> with the password <c>pencil</c> and the token <c>good-token</c>, who may act as <c>shared</c>;
/// <c>gone</c> has the same and is disabled; <c>down</c> cannot be looked up.
/// </summary>
internal sealed class TestUsers : IPasswordVerifier, IScramSecrets, ISharedSecrets, IDigestSecrets, ITokenVerifier, IExternalIdentity, IAuthorizationGrants
{
    public const string Password = "pencil";

    private static readonly byte[] Salt = [.. Enumerable.Range(1, 16).Select(static i => (byte)i)];

    private static readonly ConcurrentDictionary<HashAlgorithmName, ScramSecret> Derived = [];

    public static SaslContext Context => new TestUsers().ToContext();

    public SaslContext ToContext() => new()
    {
        Passwords = this,
        ScramSecrets = this,
        SharedSecrets = this,
        DigestSecrets = this,
        Tokens = this,
        External = this,
        Grants = this,
        AllowsAnonymous = true,
        Channel = FixedChannel.Of(),
        Hostname = "mail.example.org",
    };

    /// <summary>Who EXTERNAL finds.</summary>
    public string? Certified { get; init; } = "lisa";

    /// <summary>What has become of lisa's login.</summary>
    public SettableAuthority Login { get; } = new();

    /// <summary>What has become of the grant to act as <c>shared</c>.</summary>
    public SettableAuthority Grant { get; } = new();

    /// <summary>What mechanisms said of proofs, in order.</summary>
    public List<bool> Proofs { get; } = [];

    public IReadOnlyList<string> Realms => ["mail.example.org", "other.example.org"];

    public void OnProof(LoginAnswer.Judge turn, bool isProven, bool isUser) => Proofs.Add(isProven);

    public bool Serves(HashAlgorithmName algorithm) => true;

    public ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) =>
        new(user == "down" ? new LoginAnswer.Unavailable("down")
            : user == "lisa" && password.Span.SequenceEqual(Encoding.UTF8.GetBytes(Password)) ? new LoginAnswer.Match("lisa") { Authority = Login }
            : new LoginAnswer.NoMatch("no", user is "lisa" or "gone"));

    public ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) =>
        new(user switch
        {
            "down" => new LoginAnswer.Unavailable("down"),
            "lisa" => new LoginAnswer.Found<ScramSecret>("lisa", Secret(algorithm)) { Authority = Login },
            "gone" => new LoginAnswer.Found<ScramSecret>("gone", Secret(algorithm), "the account is disabled"),
            _ => new LoginAnswer.NoMatch("unknown user", UserExists: false),
        });

    public ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct) => new(Find(user, Encoding.UTF8.GetBytes(Password)));

    public ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) => new(Find(user, DigestFunctions.Secret(user, realm, Password)));

    public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) =>
        new(token switch
        {
            "good-token" => new LoginAnswer.Match("lisa") { Authority = Login },
            "down-token" => new LoginAnswer.Unavailable("down"),
            _ => new LoginAnswer.NoMatch("expired") { Scope = "mail" },
        });

    public ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct) =>
        new(Certified is { } user ? new LoginAnswer.Match(user) { Authority = Login } : new LoginAnswer.NoMatch("no certificate", UserExists: false));

    public ValueTask<LoginAnswer> ActAsAsync(string user, string authorizationId, CancellationToken ct) =>
        new(authorizationId == "shared" || authorizationId == user ? new LoginAnswer.Match(authorizationId) { Authority = Grant } : new LoginAnswer.NoMatch("no grant", UserExists: false));

    private static ScramSecret Secret(HashAlgorithmName algorithm) => Derived.GetOrAdd(algorithm, static a => ScramSecret.Derive(a, Password, Salt, 4096));

    private LoginAnswer Find(string user, byte[] secret) => user switch
    {
        "down" => new LoginAnswer.Unavailable("down"),
        "lisa" => new LoginAnswer.Found<SharedSecret>("lisa", new(secret)) { Authority = Login },
        "gone" => new LoginAnswer.Found<SharedSecret>("gone", new(secret), "the account is disabled"),
        _ => new LoginAnswer.NoMatch("unknown user", UserExists: false),
    };

    internal sealed class SettableAuthority : ILoginAuthority
    {
        public LoginAnswer Answer { get; set; } = LoginAnswer.Holds.Instance;

        public ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) => new(Answer);
    }
}
