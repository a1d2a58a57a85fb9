using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Admin;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Which stored form serves which mechanism, with both halves of every mechanism on a real directory.</summary>
public sealed class MechanismFormTests : IDisposable
{
    private const string Password = "tiger-lily-9";
    private const string Realm = "mail.example.org";

    private readonly DirectoryFixture fixture = new();
    private readonly AccountVerifiers verifiers;

    public MechanismFormTests() =>
        verifiers = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database, Decoys = fixture.StoreContext.Decoys };

    /// <summary>A form, and the mechanisms that it serves.</summary>
    public static TheoryData<string, string> Served() => new()
    {
        { "scram-sha-256", "SCRAM-SHA-256 PLAIN LOGIN" },
        { "scram-sha-512", "SCRAM-SHA-512 PLAIN LOGIN" },
        { "scram-sha-1", "SCRAM-SHA-1 PLAIN LOGIN" },
        { "digest-md5", "DIGEST-MD5 PLAIN LOGIN" },
        { "shared", "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 PLAIN LOGIN" },
        { "yescrypt", "PLAIN LOGIN" },
        { "bcrypt", "PLAIN LOGIN" },
        { "sha512-crypt", "PLAIN LOGIN" },
    };

    public void Dispose() => fixture.Dispose();

    [Theory]
    [MemberData(nameof(Served))]
    public async Task A_form_serves_its_mechanisms_and_no_others(string form, string mechanisms)
    {
        Keep("lisa", form);
        var served = new List<string>();
        foreach (var mechanism in SaslClientMechanisms.All)
        {
            if (await LogInAsync(mechanism, "lisa", Password) is SaslStep.Success(var identity, _))
            {
                Assert.Equal(new SaslIdentity("lisa", "lisa"), identity);
                served.Add(mechanism.Name);
            }

            if (await LogInAsync(mechanism, "lisa", Password + "x") is { } wrong)
                Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(wrong).Error);
            if (await LogInAsync(mechanism, "nobody", Password) is { } stranger)
                Assert.False(Assert.IsType<SaslStep.Failure>(stranger).UserExists);
        }

        Assert.Equal(mechanisms, string.Join(' ', served));
    }

    /// <summary>Nobody logs in with the proof of an empty password where there is no such secret.</summary>
    [Theory]
    [InlineData("CRAM-MD5", "the account has only a bcrypt hash; CRAM-MD5 needs a shared secret that has not expired")]
    [InlineData("DIGEST-MD5", "the account has only a bcrypt hash; DIGEST-MD5 needs one of the realm 'mail.example.org', or a shared one")]
    [InlineData("SCRAM-SHA-256", "the account has only a bcrypt hash; SCRAM-SHA-256 needs a secret of that kind, or a shared one")]
    public async Task A_credential_that_cannot_serve_a_mechanism_gives_a_clear_reason(string mechanism, string reason)
    {
        Keep("lisa", "bcrypt");
        var failure = Assert.IsType<SaslStep.Failure>(await LogInAsync(SaslClientMechanisms.All.Single(m => m.Name == mechanism), "lisa", Password));
        Assert.Equal((SaslError.BadCredentials, reason, true), (failure.Error, failure.Reason, failure.UserExists));
    }

    [Fact]
    public async Task An_expired_credential_serves_no_challenge()
    {
        fixture.Commands.Accounts.Add(new AddAccount("lisa", [], []));
        fixture.Commands.Credentials.Add(new AddCredential("lisa", new Secret(Password), ExpiresAfter: TimeSpan.FromDays(1)) { Scheme = HashSchemes.Shared });
        fixture.Clock.Advance(TimeSpan.FromDays(1));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.SharedSecrets.FindSecretAsync("lisa", peer: null, CancellationToken.None));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.DigestSecrets.FindDigestAsync("lisa", Realm, peer: null, CancellationToken.None));
    }

    [Fact]
    public async Task The_salt_of_a_stranger_outlives_a_restart_and_stays_when_the_user_comes_to_exist()
    {
        async Task<string> SaltAsync()
        {
            var again = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Decoys = new Decoys(fixture.Database.DecoyKey.Span) };
            var exchange = SaslMechanisms.All.Single(m => m.Name == "SCRAM-SHA-256").TryStart(again.Context)!;
            var challenge = Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync("n,,n=lisa,r=abc"u8.ToArray(), CancellationToken.None));
            return System.Text.Encoding.ASCII.GetString(challenge.Data.Span).Split(',')[1];
        }

        var before = await SaltAsync();
        Assert.Equal(before, await SaltAsync());
        Keep("lisa", "shared");
        Assert.Equal(before, await SaltAsync());
    }

    [Fact]
    public async Task An_account_acts_as_another_where_it_was_granted_and_that_one_may_log_in()
    {
        Keep("robot", "scram-sha-256");
        Keep("lisa", "scram-sha-256");
        Assert.IsType<SaslStep.Failure>(await ActAsync("robot", "Lisa"));
        fixture.Commands.Accounts.Grant(new ChangeGrants("robot", [], []) { ActsAs = ["LISA"] });
        Assert.Equal(new SaslIdentity("robot", "lisa"), Assert.IsType<SaslStep.Success>(await ActAsync("robot", "Lisa")).Identity);
        Assert.IsType<SaslStep.Failure>(await ActAsync("lisa", "robot"));
        fixture.Commands.Accounts.Disable("lisa");
        Assert.Contains("the account is disabled", Assert.IsType<SaslStep.Failure>(await ActAsync("robot", "lisa")).Reason, StringComparison.Ordinal);
        fixture.Commands.Accounts.Enable("lisa");
        fixture.Commands.Accounts.Revoke(new ChangeGrants("robot", [], []) { ActsAs = ["lisa"] });
        Assert.Contains("has no grant for it", Assert.IsType<SaslStep.Failure>(await ActAsync("robot", "lisa")).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whether_it_may_act_is_not_known_while_the_directory_cannot_be_read()
    {
        Keep("robot", "scram-sha-256");
        fixture.Database.Dispose();
        Assert.IsType<LoginAnswer.Unavailable>(await verifiers.Grants.ActAsAsync("robot", "lisa", CancellationToken.None));
    }

    [Theory]
    [InlineData(StoredForms.All, "EXTERNAL GSSAPI SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 PLAIN LOGIN")]
    [InlineData(StoredForms.Password | StoredForms.ScramSha256, "EXTERNAL GSSAPI SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN")]
    [InlineData(StoredForms.Password | StoredForms.Digest, "EXTERNAL GSSAPI OAUTHBEARER XOAUTH2 PLAIN LOGIN")]
    public void By_default_only_what_every_user_can_use_is_on_offer(StoredForms common, string mechanisms)
    {
        Assert.Equal(mechanisms, string.Join(' ', MechanismOffer.Usual([StoredForms.All, common])));
        Assert.Equal(mechanisms, string.Join(' ', MechanismOffer.Usual([common])));
    }

    private void Keep(string account, string form)
    {
        fixture.Commands.Accounts.Add(new AddAccount(account, [], []));
        var scheme = HashSchemes.Find(form)!;
        Assert.True(scheme.TryHash(new HashRequest(account, Realm, new Secret(Password), IsGenerated: true), out var hash, out var problem), problem);
        fixture.AddStoredHash(account, hash.Stored);
    }

    private ValueTask<SaslStep> ActAsync(string user, string other) =>
        PlayAsync(Sasl.Client.PlainClient.Instance.TryStart(new SaslClientCredentials { User = user, Password = new Secret(Password), AuthorizationId = other })!, "PLAIN")!;

    private async ValueTask<SaslStep?> LogInAsync(ISaslClientMechanism mechanism, string user, string password)
    {
        var client = mechanism.TryStart(new SaslClientCredentials { User = user, Password = new Secret(password), Host = Realm });
        return client is null || mechanism == AnonymousClient.Instance ? null : await PlayAsync(client, mechanism.Name);
    }

    private async ValueTask<SaslStep> PlayAsync(ISaslClientExchange client, string mechanism)
    {
        using var ended = client;
        var server = SaslMechanisms.All.Single(m => m.Name == mechanism).TryStart(verifiers.Context with { Hostname = Realm })!;
        ReadOnlyMemory<byte>? challenge = null;
        while (true)
        {
            var step = await server.NextAsync(Assert.IsType<SaslClientStep.Response>(client.Next(challenge)).Data, CancellationToken.None);
            if (step is not SaslStep.Challenge(var next))
                return step;
            challenge = next;
        }
    }
}
