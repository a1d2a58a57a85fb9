using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Whatever is remembered and shared, a login is its own user's, by a password that this user has or had a moment ago.</summary>
public sealed class NoAuthorizationCrossesTests : IDisposable
{
    private const int Users = 60;
    private const int Workers = 12;
    private const int Logins = 400;

    private static readonly StoreTerms Terms = new() { MostQuestions = 1000, StaleOnOutage = TimeSpan.FromMinutes(10) };

    private readonly DirectoryFixture fixture = new();
    private readonly VerificationCache memory;
    private readonly ConcurrentDictionary<string, int> generations = new(StringComparer.Ordinal);
    private readonly FarStore checks = new("checks");
    private readonly FarStore hashes = new("hashes");
    private volatile AccountVerifiers verifiers;

    public NoAuthorizationCrossesTests()
    {
        memory = new VerificationCache(fixture.Clock);
        for (var i = 0; i < Users; i++)
            Put(i, 0);
        verifiers = Open();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task Among_many_users_stores_passwords_and_configurations_everybody_is_himself()
    {
        var wrong = new ConcurrentQueue<string>();
        var (right, refused) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var n = 0; n < Logins; n++)
            {
                var (user, whose) = (random.Next(Users), random.Next(3) == 0 ? random.Next(Users) : -1);
                if (random.Next(40) == 0)
                    Put(user, generations[Name(user)] + 1);
                if (random.Next(200) == 0)
                    Reload();
                if (random.Next(20) == 0)
                    fixture.Clock.Advance(TimeSpan.FromSeconds(1));
                var of = whose < 0 ? user : whose;
                var generation = Math.Max(0, generations[Name(of)] - random.Next(3));
                var answer = await CheckAsync(Spell(user, random), Password(of, generation), worker);
                if (answer is LoginAnswer.Match match)
                {
                    Interlocked.Increment(ref right);
                    if (match.User != Name(user) || of != user)
                        wrong.Enqueue($"{match.User} came in as {Name(user)} by a password of {Name(of)}");
                    if (await match.Authority!.ReviewAsync(Ct) is LoginAnswer.Match)
                        wrong.Enqueue("a review is no login");
                }
                else if (answer is LoginAnswer.NoMatch)
                {
                    Interlocked.Increment(ref refused);
                }
            }
        })));

        Assert.Empty(wrong);
        Assert.True(right > Workers * Logins / 4, $"{right} logins");
        Assert.True(refused > Workers * Logins / 10, $"{refused} refusals");

        // And when what is remembered is too old, the newest password alone is right.
        fixture.Clock.Advance(TimeSpan.FromMinutes(11));
        for (var i = 0; i < Users; i++)
        {
            var now = generations[Name(i)];
            Assert.Equal(Name(i), Assert.IsType<LoginAnswer.Match>(await CheckAsync(Name(i), Password(i, now), i)).User);
            if (now > 0)
                Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Name(i), Password(i, now - 1), i));
        }
    }

    private static string Name(int user) => string.Create(CultureInfo.InvariantCulture, $"user{user}@example.org");

    private static string Password(int user, int generation) => string.Create(CultureInfo.InvariantCulture, $"secret {generation} of {user}");

    private static string Spell(int user, Random random) => random.Next(2) == 0 ? Name(user) : Name(user).ToUpperInvariant();

    private void Put(int user, int generation)
    {
        lock (generations)
        {
            if (user % 2 == 0)
                checks.Add(Name(user), Password(user, generation));
            else
                hashes.Add(new StoredLogin(Name(user), refusal: null, [new StoredCredential("1", PasswordHash.Parse($"{{PLAIN}}{Password(user, generation)}"), ExpiresAt: null)]));
            generations[Name(user)] = generation;
        }
    }

    private void Reload()
    {
        lock (generations)
        {
            var next = Open();
            verifiers.Stores.FollowedBy(next.Stores);
            verifiers = next;
        }
    }

    private Task<LoginAnswer> CheckAsync(string user, string password, int from) =>
        verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), string.Create(CultureInfo.InvariantCulture, $"192.0.2.{from}"), Ct).AsTask();

    /// <summary>The memory of right passwords outlasts a configuration; what stores remember does not.</summary>
    private AccountVerifiers Open() =>
        new([checks.Bound(fixture.Clock, Terms), hashes.Bound(fixture.Clock, Terms)], fixture.Pool, memory, fixture.Clock)
        {
            Directory = fixture.Database,
        };
}
