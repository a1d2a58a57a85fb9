using System.Security.Cryptography;
using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>A store that sends its user to another mechanism is heard by every mechanism that asks it.</summary>
public sealed class RefusedByNameTests
{
    private static readonly Store Users = new();

    private static readonly SaslContext Context = new()
    {
        Passwords = Users, ScramSecrets = Users, SharedSecrets = Users, DigestSecrets = Users, External = Users, Tokens = Users, Hostname = "mail.example.org",
    };

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    [InlineData("EXTERNAL")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("CRAM-MD5")]
    [InlineData("DIGEST-MD5")]
    [InlineData("OAUTHBEARER")]
    [InlineData("XOAUTH2")]
    public async Task Too_weak_ends_the_exchange_and_tells_that_the_user_exists(string name)
    {
        var server = SaslMechanisms.All.Single(m => m.Name == name).TryStart(Context)!;
        using var client = SaslClientMechanisms.All.Single(m => m.Name == name).TryStart(new SaslClientCredentials
        {
            User = "lisa", Password = new Secret("pencil"), Token = new Secret("token"), HasClientCertificate = true, Host = "mail.example.org",
        })!;
        var (step, _, _) = await Dialogue.RunAsync(server, client);
        var failure = Assert.IsType<SaslStep.Failure>(step);
        Assert.Equal((SaslError.TooWeak, "too weak", true), (failure.Error, failure.Reason, failure.UserExists));
    }

    private sealed class Store : IPasswordVerifier, IScramSecrets, ISharedSecrets, IDigestSecrets, IExternalIdentity, ITokenVerifier
    {
        private static readonly LoginAnswer Check = new LoginAnswer.Refused(SaslError.TooWeak, "too weak");
        private static readonly LoginAnswer Lookup = new LoginAnswer.Refused(SaslError.TooWeak, "too weak");

        public IReadOnlyList<string> Realms => ["mail.example.org"];

        public bool Serves(HashAlgorithmName algorithm) => true;

        public ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) => new(Check);

        public ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) =>
            new(new LoginAnswer.Refused(SaslError.TooWeak, "too weak"));

        public ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct) => new(Lookup);

        public ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) => new(Lookup);

        public ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct) => new(Check);

        public ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) => new(new LoginAnswer.Refused(SaslError.TooWeak, "too weak"));
    }
}
