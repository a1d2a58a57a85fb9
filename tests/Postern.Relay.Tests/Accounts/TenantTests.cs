using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Whose account it is goes with the login, whoever knows it and however it was proven.</summary>
public sealed class TenantTests : IDisposable
{
    private const string Password = "doughnut";

    private readonly DirectoryFixture fixture = new();
    private readonly HashingPool pool = new(new HashingPoolOptions { Threads = 1 });
    private readonly FarStore far = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        pool.Dispose();
        fixture.Dispose();
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("CRAM-MD5")]
    [InlineData("DIGEST-MD5")]
    public async Task A_store_says_whose_user_it_is(string mechanism)
    {
        Add("homer", "plant");
        Add("ned", tenant: null);

        Assert.Equal("plant", await TenantAsync(mechanism, "homer"));
        Assert.Null(await TenantAsync(mechanism, "ned"));
    }

    [Fact]
    public async Task What_the_directory_says_counts_before_what_the_store_says()
    {
        Add("homer", "plant");
        fixture.Commands.Accounts.Add(new AddAccount("homer", [], []) { Tenant = "Union" });

        Assert.Equal("union", await TenantAsync("PLAIN", "homer"));
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    public async Task Who_acts_for_another_acts_for_the_tenant_of_that_one(string mechanism)
    {
        Add("burns", "plant", actsAs: "moe");
        Add("moe", "tavern");

        Assert.Equal("tavern", await TenantAsync(mechanism, "burns", actAs: "moe"));
    }

    private void Add(string user, string? tenant, params ImmutableArray<string> actsAs) => far.Add(new StoredLogin(user, refusal: null, [new StoredCredential("far", SharedHash.Create(Password)!, ExpiresAt: null)])
    {
        Account = Account.Of(user) with { Tenant = tenant, ActsAs = actsAs },
    });

    private async Task<string?> TenantAsync(string mechanism, string user, string actAs = "")
    {
        var verifiers = new AccountVerifiers([fixture.Store(), AccountStores.Bound(far, new StoreTerms(), fixture.Clock)], pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        var exchange = SaslMechanisms.All.First(m => m.Name == mechanism).TryStart(verifiers.Context)!;
        using var client = SaslClientMechanisms.All.First(m => m.Name == mechanism).TryStart(new SaslClientCredentials { User = user, AuthorizationId = actAs, Password = new Secret(Password), Host = "localhost" })!;
        ReadOnlyMemory<byte>? challenge = null;
        while (true)
        {
            var step = await exchange.NextAsync(((SaslClientStep.Response)client.Next(challenge)).Data, Ct);
            if (step is SaslStep.Success success)
                return (success.LoginData as LoginFacts)?.Tenant;
            challenge = Assert.IsType<SaslStep.Challenge>(step).Data;
        }
    }
}
