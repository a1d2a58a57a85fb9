using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A store that is asked for some logins only.</summary>
public sealed class RoutedStoreTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();
    private readonly FarStore far = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData("@example.org", "lisa@example.org", true)]
    [InlineData("@example.org", "lisa@sub.example.org", false)]
    [InlineData("@example.org", "lisa@notexample.org", false)]
    [InlineData("@example.org", "lisa@example.org.evil.example", false)]
    [InlineData("@example.org", "lisa", false)]
    [InlineData("*@Example.ORG", "lisa@example.org", true)]
    [InlineData("@.example.org", "lisa@sub.example.org", true)]
    [InlineData("@.example.org", "lisa@a.sub.example.org", true)]
    [InlineData("@.example.org", "lisa@example.org", false)]
    [InlineData("@.example.org", "lisa.example.org", false)]
    [InlineData("lisa", "lisa", true)]
    [InlineData("lisa", "lisa@example.org", false)]
    [InlineData("robot-*", "robot-7", true)]
    [InlineData("robot-*", "robot", false)]
    [InlineData("aa*aa", "aaa", false)]
    [InlineData("*", "anybody", true)]
    [InlineData("\uff20example.org", "lisa@example.org", true)]
    public void A_pattern_fits_whole_names(string pattern, string user, bool fits) =>
        Assert.Equal(fits, LoginPatterns.Parse([pattern], out _)!.Include(user));

    [Theory]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("@.")]
    [InlineData("*@*")]
    [InlineData("a\nb")]
    public void What_is_no_pattern_is_refused_with_a_reason(string pattern)
    {
        Assert.Null(LoginPatterns.Parse(["lisa", pattern], out var problem));
        Assert.NotNull(problem);
    }

    [Fact]
    public void Patterns_are_equal_by_what_they_say()
    {
        Assert.Equal(LoginPatterns.Parse(["@example.org"], out _), LoginPatterns.Parse(["@EXAMPLE.org"], out _));
        Assert.NotEqual(LoginPatterns.Parse(["@example.org"], out _), LoginPatterns.Parse(["@example.net"], out _));
        Assert.NotEqual(new AccountSource("file:///a", "r") { Logins = LoginPatterns.Parse(["a"], out _) }, new AccountSource("file:///a", "r"));
    }

    [Fact]
    public async Task Only_logins_of_these_names_are_asked_there_and_others_are_none_of_its_business()
    {
        far.Add("lisa@example.org", "tiger").Add("bart@example.net", "skateboard").Add("homer", "doughnut");
        var verifiers = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "Lisa@Example.org", "tiger"));
        var asked = far.Asked;
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "bart@example.net", "skateboard"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "homer", "doughnut"));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.IdentifyAsync("homer", Ct));
        Assert.Null(await verifiers.Accounts!.FindAccountAsync("homer", Ct));
        Assert.Equal(asked, far.Asked);

        far.Trouble = new LoginAnswer.Unavailable("it sleeps");
        Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(verifiers, "nobody@example.org", "x"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "bart@example.net", "x"));
    }

    [Fact]
    public async Task Who_fails_costs_what_the_costliest_user_costs_asked_there_or_not_and_hears_the_same()
    {
        far.Add(new StoredLogin("lisa@example.org", refusal: null, [new StoredCredential("1", ScramHash.Create(new Secret("tiger"), 4096, [1, 2, 3, 4]), ExpiresAt: null)]));
        var verifiers = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa@example.org", "tiger"));
        var spent = new List<HashCost>();
        fixture.Pool.Spent = spent.Add;
        var costs = new List<string>();
        foreach (var user in new[] { "lisa@example.org", "nobody@example.org", "nobody@example.net", "nobody" })
        {
            spent.Clear();
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, user, "wrong"));
            costs.Add(string.Join(", ", spent.GroupBy(static c => c.Kind).Select(static all => $"{all.Key} {all.Sum(static c => c.Units)}").Order(StringComparer.Ordinal)));
        }

        Assert.Single(costs.Distinct());
        Assert.NotEmpty(costs[0]);
        foreach (var mechanism in new[] { "SCRAM-SHA-256", "CRAM-MD5", "DIGEST-MD5" })
        {
            var told = new List<(SaslError?, int)>();
            foreach (var user in new[] { "nobody@example.org", "nobody@example.net", "nobody" })
                told.Add(await MechanismPlay.PlayAsync(verifiers, mechanism, user, "wrong"));
            Assert.Single(told.Distinct());
        }
    }

    [Fact]
    public async Task What_stores_say_of_a_user_names_those_that_were_not_asked()
    {
        var words = await Open().Descriptions.DescribeAsync("homer", Ct);
        Assert.Contains(("far", "not asked: it is for @example.org"), words);
    }

    [Fact]
    public async Task A_store_of_the_machine_is_routed_alike()
    {
        await File.WriteAllTextAsync(fixture.Beside("passwd"), "lisa@example.org:tiger\nhomer:doughnut\n", Ct);
        var source = new AccountSource($"file://{fixture.Beside("passwd")}", "mail.example.org") { Logins = LoginPatterns.Parse(["@example.org"], out _) };
        var store = AccountStores.Open(fixture.StoreContext, source);
        Assert.True(store.AnswersFromMemory);
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa@example.org", Ct));
        Assert.Same(StoredLogin.Nobody, await store.FindAsync("homer", Ct));
        Assert.Equal("@example.org", AccountStores.ConditionOf(store).Logins);
    }

    private static async ValueTask<LoginAnswer> CheckAsync(AccountVerifiers verifiers, string user, string password) =>
        await verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), "192.0.2.1", Ct);

    private AccountVerifiers Open() =>
        new([fixture.Store(), AccountStores.Routed(far.Bound(fixture.Clock), LoginPatterns.Parse(["@example.org"], out _))], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock)
        {
            Directory = fixture.Database,
        };
}
