using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Whoever does not know a password learns nothing of who exists: not from replies, not from salts, not from the work that is done.</summary>
public sealed class DecoyTests : IDisposable
{
    private const string Realm = "mail.example.org";
    private const string Password = "tiger-lily-9";
    private const string Sha512 = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
    private const string Sha256 = "$5$saltstring$wuJ45iOx5v450rU6JtvcL8/irPJiQfTgbn.aeqNlOqB";
    private const string Bcrypt = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    private const string Yescrypt = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$rPeawue/nS.5CE6nTU9GpACAbn46u5ZGm.W6wf1Q.RD";
    private const string Md5 = "$1$saltsalt$wCrc3hcrR95SV83Xh8Z.41";

    /// <summary>Of every kind; no-…@ exist nowhere.</summary>
    private static readonly string[] Names =
    [
        "scram", "two", "shared", "digest", "crypt", "foreign", "bare", "off", "off-bare", "expired",
        "in-file", "in-file-hashed", "in-file-locked", "in-file-foreign", "in-both", "in-digest",
        "nobody", "nobody@example.org", "Nobody-Else", "n\u00f6body",
    ];

    /// <summary>With hashes of other programs; mechanisms that show no password know nothing of these.</summary>
    private static readonly string[] Foreigners = ["argon", "ssha", "apr", "pbkdf2", "scrypt", "cram", "des"];

    private static readonly string[] Orders = ["directory", "file", "directory file", "file directory", "digest directory file", "file digest"];

    private readonly DirectoryFixture fixture = new();
    private readonly ConcurrentQueue<HashCost> spent = new();

    public DecoyTests()
    {
        fixture.Pool.Spent = spent.Enqueue;
        foreach (var (name, stored) in new[]
        {
            ("scram", Scram(50)), ("two", Scram(20)), ("shared", $"{{PLAIN}}{Password}"), ("digest", DigestHash.Create("digest", Realm, Password)!.Stored),
            ("argon", "$argon2d$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$xXTUVov+B4LOLPNp6hGpQTMPerOZmoxf"), ("ssha", "{SSHA}+Mhtx/+EHjNOtGQe04TYji4GXQFJZOPR"),
            ("apr", "$apr1$abcdefgh$kCGGyo9dY4ZijMIZqmUYS."), ("pbkdf2", "$pbkdf2$2001$hzAGAMD4P8cYg3AOgdC6tw$W3KyVdH05zHwsVxWBaEOwVyIzhM"),
            ("scrypt", "$scrypt$ln=4,r=8,p=1$wbh37j2HsJYSopSyViol5A$HZQxE82jc029nytqxPhNYnCEqG2t9hm20ZXUVHA4eKU"),
            ("cram", "{CRAM-MD5}e1f41b54f4f129090743e4e9b41eff8e72d8f4ea40c95adaa6265a74e354c286"), ("des", "{DES-CRYPT}6j1DuYcN47OiY"),
            ("crypt", Sha512), ("foreign", "{SSHA}nothing"), ("off", Scram(10)), ("expired", Scram(10)), ("in-both", Scram(10)),
        })
            fixture.AddStoredHash(name, stored);
        fixture.AddStoredHash("two", Scram(70));
        foreach (var bare in new[] { "bare", "off-bare" })
            fixture.Commands.Accounts.Add(new AddAccount(bare, [], []));
        fixture.Commands.Accounts.Disable("off");
        fixture.Commands.Accounts.Disable("off-bare");
        fixture.Execute("update credentials set expires_at = 1 where account_id = (select id from accounts where name = 'expired')");
        File.WriteAllText(fixture.Beside("passwd"), $"in-file:{Password}\nin-file-hashed:{Md5}\nin-file-locked:!{Sha256}\nin-file-foreign:{{SSHA}}x\nin-both:{Bcrypt}\n");
        File.WriteAllText(fixture.Beside("digest"), DigestHash.Create("in-digest", Realm, Password)!.Stored[DigestHash.Prefix.Length..] + "\n");
    }

    /// <summary>In octets, around every edge that a hash has, and what is no text at all.</summary>
    public static TheoryData<string, byte[]> Passwords() => new()
    {
        { "one", [(byte)'x'] },
        { "usual", "wrong-password"u8.ToArray() },
        { "72", Encoding.ASCII.GetBytes(new string('x', 72)) },
        { "73", Encoding.ASCII.GetBytes(new string('x', 73)) },
        { "511", Encoding.ASCII.GetBytes(new string('x', 511)) },
        { "512", Encoding.ASCII.GetBytes(new string('x', 512)) },
        { "513", Encoding.ASCII.GetBytes(new string('x', 513)) },
        { "1000", Encoding.ASCII.GetBytes(new string('x', 1000)) },
        { "NUL first", [0, (byte)'x'] },
        { "NUL behind the right one", [.. Encoding.ASCII.GetBytes(Password), 0, (byte)'x'] },
        { "no UTF-8", [0xff, 0xfe] },
        { "a control", [7] },
        { "empty", [] },
    };

    public void Dispose() => fixture.Dispose();

    [Theory]
    [MemberData(nameof(Passwords))]
    public async Task Row_160_every_wrong_password_is_answered_alike_and_costs_alike_whoever_the_user_is(string what, byte[] password)
    {
        // Orders and lengths do not meddle with each other: every order with one password, every password with one order.
        foreach (var order in what == "usual" ? Orders : ["directory file"])
        {
            var verifiers = Open(fixture.Database, order);
            var seen = new Dictionary<string, (string Reply, string Work)>();
            foreach (var name in Names.Concat(Foreigners))
            {
                spent.Clear();
                var answer = await verifiers.Passwords.CheckAsync(name, password, peer: null, CancellationToken.None);
                seen.Add(name, (answer.GetType().Name, Sum()));
            }

            Assert.All(seen, s => Assert.Equal((what, order, s.Key, seen["nobody"]), (what, order, s.Key, s.Value)));
            Assert.Equal("NoMatch", seen["nobody"].Reply);
            Assert.NotEmpty(seen["nobody"].Work);
        }
    }

    /// <summary>The right password of one that may not log in is a wrong one in every respect.</summary>
    [Fact]
    public async Task Row_160_the_right_password_of_a_disabled_or_expired_one_costs_what_a_wrong_one_does()
    {
        var verifiers = Open(fixture.Database, "directory file");
        foreach (var name in new[] { "off", "expired", "nobody" })
        {
            spent.Clear();
            Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync(name, Encoding.ASCII.GetBytes(Password), peer: null, CancellationToken.None));
            Assert.Equal("$1$ x 1, $2b$ x 32, $6$ x 5000, $apr1$ x 1, $scrypt$ln=4,r=8 x 1, DES x 1, argon2d m=8,p=1 x 1, digest x 1, digest SHA1 x 1, hmac-md5 x 1, pbkdf2 SCRAM-SHA-256 x 4096, pbkdf2 SHA1 x 2001, shared x 1", Sum());
        }
    }

    [Fact]
    public async Task Row_161_every_mechanism_refuses_everybody_in_the_same_words()
    {
        // One mechanism of each kind with every order of stores, the others with one.
        string[] ofEachKind = ["PLAIN", "SCRAM-SHA-256", "CRAM-MD5", "DIGEST-MD5"];
        foreach (var order in Orders)
        {
            var verifiers = Open(fixture.Database, order);
            foreach (var mechanism in SaslClientMechanisms.All.Where(m => order == "directory file" || ofEachKind.Contains(m.Name)))
            {
                var replies = new Dictionary<string, string>();
                foreach (var name in Names)
                {
                    if (await RefusedAsync(verifiers, mechanism, name) is { } failure)
                        replies.Add(name, $"{failure.Error} {failure.Text}");
                }

                Assert.All(replies, r => Assert.Equal((order, mechanism.Name, r.Key, replies["nobody"]), (order, mechanism.Name, r.Key, r.Value)));
            }
        }
    }

    [Fact]
    public async Task Row_162_salts_and_counts_of_who_has_no_secret_stay_over_restarts_new_accounts_and_changed_files()
    {
        foreach (var order in Orders)
        {
            Dictionary<string, string> before;
            var restarted = SqliteDirectory.Open(fixture.Options);
            try
            {
                before = await ChallengesAsync(Open(restarted, order));
            }
            finally
            {
                restarted.Dispose();
            }

            fixture.AddAccount($"new-{Guid.NewGuid()}");
            fixture.Commands.Accounts.Add(new AddAccount($"typed-{Guid.NewGuid()}", [], []));
            await File.AppendAllTextAsync(fixture.Beside("passwd"), $"new-{Guid.NewGuid()}:{Scram(70)}\n", TestContext.Current.CancellationToken);
            fixture.Clock.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal(before, await ChallengesAsync(Open(fixture.Database, order)));
        }
    }

    [Fact]
    public async Task Row_163_nobody_is_shown_the_salt_of_somebody_else()
    {
        var all = await ChallengesAsync(Open(fixture.Database, "directory file digest"));
        var salts = all.Select(static c => c.Value.Split(",s=")[1].Split(',')[0]).ToList();
        Assert.Equal(salts.Count, salts.Distinct(StringComparer.Ordinal).Count());
        var counts = Enumerable.Range(0, 200).Select(i => AccountStores.DecoysFor(fixture.Database.DecoyKey.Span, [new AccountSource("directory", Realm)]).IterationsOf($"nobody{i}")).CountBy(static c => c).ToDictionary();
        Assert.Equal([4096, 200_000], counts.Keys.Order());
        Assert.All(counts.Values, static c => Assert.InRange(c, 50, 150));
    }

    [Fact]
    public async Task Row_164_with_the_database_down_everybody_is_told_454_by_every_mechanism()
    {
        using var directory = SqliteDirectory.Open(fixture.Options);
        var chains = Orders.Select(order => (order, Open(directory, order))).ToList();
        directory.Dispose();
        foreach (var (order, verifiers) in chains)
        {
            foreach (var name in Names)
            {
                Assert.Equal((order, name, "Unavailable"), (order, name, (await verifiers.Passwords.CheckAsync(name, "x"u8.ToArray(), peer: null, CancellationToken.None)).GetType().Name));
                Assert.Equal((order, name, "Unavailable"), (order, name, (await verifiers.ScramSecrets.FindAsync(name, HashAlgorithmName.SHA256, peer: null, CancellationToken.None)).GetType().Name));
                Assert.Equal((order, name, "Unavailable"), (order, name, (await verifiers.SharedSecrets.FindSecretAsync(name, peer: null, CancellationToken.None)).GetType().Name));
                Assert.Equal((order, name, "Unavailable"), (order, name, (await verifiers.DigestSecrets.FindDigestAsync(name, Realm, peer: null, CancellationToken.None)).GetType().Name));
                Assert.Equal((order, name, "Unavailable"), (order, name, (await verifiers.IdentifyAsync(name, CancellationToken.None)).GetType().Name));
            }
        }
    }

    [Fact]
    public async Task Row_165_where_one_kind_of_hash_cannot_be_computed_nobody_who_does_not_log_in_is_told_anything_else()
    {
        var missing = new MissingHash();
        var lisa = new StoredLogin("lisa", refusal: null, [new StoredCredential("c", ScramHash.Create(new Secret(Password), 1, [1]), ExpiresAt: null)]);
        var bob = new StoredLogin("bob", refusal: null, [new StoredCredential("c", missing, ExpiresAt: null)]);
        var verifiers = new AccountVerifiers([new ListedStore(lisa, bob)], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);
        foreach (var name in new[] { "lisa", "bob", "nobody" })
            Assert.IsType<LoginAnswer.Unavailable>(await verifiers.Passwords.CheckAsync(name, "wrong"u8.ToArray(), peer: null, CancellationToken.None));
        Assert.IsType<LoginAnswer.Match>(await verifiers.Passwords.CheckAsync("lisa", Encoding.ASCII.GetBytes(Password), peer: null, CancellationToken.None));
    }

    [Fact]
    public async Task A_store_over_a_network_that_has_a_decoy_costs_the_same_for_nobody_before_anybody_was_looked_up_there()
    {
        var far = new FarStore().Add(new StoredLogin("lisa", refusal: null, [new StoredCredential("c", PasswordHash.Parse(Bcrypt), ExpiresAt: null)]));
        foreach (var (decoy, first) in new[] { (new Secret(Bcrypt), "$2b$ x 32"), (null, "") })
        {
            var store = far.Bound(fixture.Clock, new StoreTerms { Decoy = decoy });
            var verifiers = new AccountVerifiers([store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);
            foreach (var (name, cost) in new[] { ("nobody", first), ("lisa", "$2b$ x 32"), ("nobody", "$2b$ x 32") })
            {
                spent.Clear();
                Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync(name, "wrong"u8.ToArray(), peer: null, CancellationToken.None));
                Assert.Equal((decoy is null, name, cost), (decoy is null, name, Sum()));
            }
        }
    }

    /// <summary>A setting that the library does not understand would be computed in no time.</summary>
    [Theory]
    [InlineData(Sha512, 7000)]
    [InlineData(Sha256, 7000)]
    [InlineData(Bcrypt, 80)]
    [InlineData(Yescrypt, 2)]
    [InlineData(Md5, 3)]
    [InlineData("$7$CU..../....2Q9obwLhin8qvQl6sisAO/$sIAabNHTOBpuDjxiBmAhTkbn7gYMLgkb4kAY7xLqk22", 2)]
    [InlineData("$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$rPeawue/nS.5CE6nTU9GpACAbn46u5ZGm.W6wf1Q.RD", 1)]
    public void What_is_computed_for_nothing_is_a_setting_that_the_library_knows(string stored, int units)
    {
        var hash = Assert.IsType<CryptHash>(PasswordHash.Parse(stored));
        Assert.Equal(HashAnswer.NoMatch.Instance, hash.Spend(new HashCost(hash.Cost.Kind, units), "x"u8));
        var settings = CryptHash.SettingsFor(new HashCost(hash.Cost.Kind, units)).ToList();
        Assert.Equal(units, settings.Sum(static s => s.Units));
        foreach (var (setting, cost) in settings)
            Assert.Equal(new HashCost(hash.Cost.Kind, cost), PasswordHash.Parse(CryptHash.Compute(setting, "x")!).Cost);
    }

    private static string Scram(int iterations) => ScramHash.Create(new Secret(Password), iterations, RandomNumberGenerator.GetBytes(16)).Stored;

    private string Sum() => string.Join(", ", spent.Where(static c => c.Units > 0).GroupBy(static c => c.Kind, StringComparer.Ordinal).OrderBy(static k => k.Key, StringComparer.Ordinal).Select(static k => new HashCost(k.Key, k.Sum(static c => c.Units))));

    private AccountVerifiers Open(SqliteDirectory directory, string order)
    {
        AccountSource[] sources = [.. order.Split(' ').Select(word => new AccountSource(word == "file" ? $"file://{fixture.Beside("passwd")}" : word == "digest" ? $"digest://{fixture.Beside("digest")}" : word, Realm))];
        var decoys = AccountStores.DecoysFor(directory.DecoyKey.Span, sources);
        IAccountStore[] stores = [.. sources.Select(s => AccountStores.Open(new StoreContext(directory, decoys, fixture.Audit, fixture.Clock), s))];
        return new AccountVerifiers(stores, fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = directory, Decoys = decoys };
    }

    /// <summary>What a client with a wrong password is told at last; null where the client half does not speak to strangers.</summary>
    private static async Task<SaslStep.Failure?> RefusedAsync(AccountVerifiers verifiers, ISaslClientMechanism mechanism, string user)
    {
        using var client = mechanism.TryStart(new SaslClientCredentials { User = user, Password = new Secret("wrong-password"), Host = Realm });
        var server = SaslMechanisms.All.SingleOrDefault(m => m.Name == mechanism.Name)?.TryStart(verifiers.Context with { Hostname = Realm });
        if (client is null || server is null || mechanism == AnonymousClient.Instance)
            return null;
        ReadOnlyMemory<byte>? challenge = null;
        while (true)
        {
            // A client half does not go on where a count is lower than it likes; the stored ones here are low, to be quick.
            var data = client.Next(challenge) is SaslClientStep.Response(var response) ? response : WrongProof(Encoding.ASCII.GetString(challenge!.Value.Span), mechanism.Name);
            var step = await server.NextAsync(data, CancellationToken.None);
            if (step is not SaslStep.Challenge(var next))
                return Assert.IsType<SaslStep.Failure>(step);
            challenge = next;
        }
    }

    private static ReadOnlyMemory<byte> WrongProof(string serverFirst, string mechanism) =>
        Encoding.ASCII.GetBytes($"c=biws,{serverFirst[..serverFirst.IndexOf(',', StringComparison.Ordinal)]},p={Convert.ToBase64String(new byte[mechanism.EndsWith("512", StringComparison.Ordinal) ? 64 : mechanism.EndsWith("256", StringComparison.Ordinal) ? 32 : 20])}");

    private static async Task<Dictionary<string, string>> ChallengesAsync(AccountVerifiers verifiers)
    {
        var challenges = new Dictionary<string, string>();
        foreach (var name in Names.Except(["scram", "two", "off", "expired", "in-both"], StringComparer.Ordinal))
        {
            foreach (var mechanism in new[] { "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512" })
            {
                var exchange = SaslMechanisms.All.Single(m => m.Name == mechanism).TryStart(verifiers.Context)!;
                var challenge = Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(Encoding.UTF8.GetBytes($"n,,n={name},r=abc"), CancellationToken.None));
                challenges.Add($"{name} {mechanism}", Encoding.ASCII.GetString(challenge.Data.Span)[Encoding.ASCII.GetString(challenge.Data.Span).IndexOf(",s=", StringComparison.Ordinal)..]);
            }
        }

        return challenges;
    }

    private sealed class MissingHash() : PasswordHash("missing")
    {
        public override string Scheme => "missing";

        public override HashCost Cost => new("missing", 1);

        public override HashAnswer Verify(ReadOnlySpan<byte> password) => new HashAnswer.Unavailable("the library is not there");

        public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password) => Verify(password);
    }

    private sealed class ListedStore(params StoredLogin[] logins) : IAccountStore
    {
        public string Name => "listed";

        public StoredForms Forms => StoredForms.All;

        public StoredForms CommonForms => StoredForms.All;

        public HashCosts Costs => logins.Aggregate(HashCosts.None, static (most, login) => most.Most(login.Costs));

        public string Realm => DecoyTests.Realm;

        public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) =>
            new(logins.FirstOrDefault(l => l.User == user) is { } login ? login.ToAnswer() : StoredLogin.Nobody);
    }
}
