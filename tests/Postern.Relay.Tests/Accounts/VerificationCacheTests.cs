using System.Text;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

public sealed class VerificationCacheTests
{
    private static readonly StoredCredential Credential = new("c", PasswordHash.Parse("hash"), ExpiresAt: null);

    private readonly ManualClock clock = new();

    [Fact]
    public void Two_attempts_that_differ_in_anything_have_different_keys()
    {
        var cache = new VerificationCache(clock);
        var expires = DateTimeOffset.UnixEpoch;
        VerificationKey[] keys =
        [
            Key(cache, "store", Login("user", null, Credential), "password"),
            Key(cache, "store2", Login("user", null, Credential), "password"),
            Key(cache, "store", Login("user2", null, Credential), "password"),
            Key(cache, "store", Login("use", null, Credential), "rpassword"),
            Key(cache, "store", Login("user", "disabled", Credential), "password"),
            Key(cache, "store", Login("user", null), "password"),
            Key(cache, "store", Login("user", null, Credential, Credential), "password"),
            Key(cache, "store", Login("user", null, Credential with { Name = "d" }), "password"),
            Key(cache, "store", Login("user", null, Credential with { ExpiresAt = expires }), "password"),
            Key(cache, "store", Login("user", null, Credential with { ExpiresAt = expires.AddTicks(1) }), "password"),
            Key(cache, "store", Login("user", null, Credential with { Hash = PasswordHash.Parse("hash2") }), "password"),
            Key(cache, "store", Login("user", null, Credential), "Password"),
            Key(cache, "store", Login("user", null, Credential), new string('p', 4000)),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], Key(cache, "store", Login("user", null, Credential), "password"));
        Assert.NotEqual(keys[0], Key(new VerificationCache(clock), "store", Login("user", null, Credential), "password"));
    }

    [Fact]
    public void A_verification_is_forgotten_after_its_time()
    {
        var cache = new VerificationCache(10, TimeSpan.FromMinutes(5), clock);
        cache.Remember(new(1, 1), Credential);
        clock.Advance(TimeSpan.FromSeconds(299));
        Assert.NotNull(cache.Recall(new(1, 1)));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(cache.Recall(new(1, 1)));
    }

    [Fact]
    public void A_verification_is_forgotten_when_its_credential_expires()
    {
        var cache = new VerificationCache(10, TimeSpan.FromMinutes(5), clock);
        cache.Remember(new(1, 1), Credential with { ExpiresAt = clock.GetUtcNow().AddSeconds(10) });
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.NotNull(cache.Recall(new(1, 1)));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(cache.Recall(new(1, 1)));
    }

    [Fact]
    public void The_number_of_entries_is_bounded_and_those_in_use_stay()
    {
        var cache = new VerificationCache(10, TimeSpan.FromMinutes(5), clock);
        cache.Remember(new(0, 0), Credential);
        for (var i = 1; i <= 1000; i++)
        {
            cache.Remember(new((UInt128)i, 0), Credential);
            Assert.NotNull(cache.Recall(new(0, 0)));
        }

        Assert.InRange(Enumerable.Range(1, 1000).Count(i => cache.Recall(new((UInt128)i, 0)) is not null), 1, 10);
    }

    private static StoredLogin Login(string user, string? refusal, params StoredCredential[] credentials) => new(user, refusal, [.. credentials]);

    private static VerificationKey Key(VerificationCache cache, string store, StoredLogin login, string password) =>
        cache.KeyFor(store, login, Encoding.UTF8.GetBytes(password));
}
