using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

public sealed class HashingPoolTests : IDisposable
{
    private static readonly byte[] Password = "password"u8.ToArray();

    private readonly VerificationCache cache = new(new ManualClock());
    private readonly HashingPool pool = new(new HashingPoolOptions { Threads = 1, QueueLength = 3, PlacesPerPeer = 2 });
    private readonly GatedHash hash = new();

    public void Dispose()
    {
        hash.Allow(100);
        pool.Dispose();
        hash.Dispose();
    }

    [Fact]
    public async Task A_full_queue_is_answered_at_once()
    {
        var running = Check("first", peer: null);
        await hash.StartedAsync();
        var waiting = Enumerable.Range(0, 3).Select(i => Check($"waiting{i}", peer: null)).ToList();

        Assert.Equal("too many logins are waiting to be checked", Assert.IsType<LoginAnswer.Busy>(await Check("late", peer: null)).Reason);

        hash.Allow(4);
        Assert.IsType<LoginAnswer.Found<StoredCredential>>(await running);
        Assert.All(await Task.WhenAll(waiting), a => Assert.IsType<LoginAnswer.Found<StoredCredential>>(a));
        hash.Allow();
        Assert.IsType<LoginAnswer.Found<StoredCredential>>(await Check("late", peer: null));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2")]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")]
    public async Task One_address_has_two_places_and_gets_them_back(string peer, string same, string other)
    {
        var first = Check("a", peer);
        await hash.StartedAsync();
        var second = Check("b", same);

        Assert.Contains("from this address", Assert.IsType<LoginAnswer.Busy>(await Check("c", peer)).Reason, StringComparison.Ordinal);
        var elsewhere = Check("d", other);

        hash.Allow(3);
        Assert.All(await Task.WhenAll(first, second, elsewhere), a => Assert.IsType<LoginAnswer.Found<StoredCredential>>(a));
        hash.Allow();
        Assert.IsType<LoginAnswer.Found<StoredCredential>>(await Check("c", peer));
    }

    [Fact]
    public async Task Identical_attempts_at_once_are_computed_once()
    {
        var attempts = Enumerable.Range(0, 10).Select(_ => Check("same", peer: "192.0.2.1")).ToList();
        await hash.StartedAsync();
        hash.Allow();
        Assert.All(await Task.WhenAll(attempts), a => Assert.IsType<LoginAnswer.Found<StoredCredential>>(a));
        Assert.Equal(1, hash.Computed);

        hash.Allow();
        await Check("same", peer: "192.0.2.1");
        Assert.Equal(2, hash.Computed);
    }

    [Fact]
    public async Task A_caller_that_gives_up_leaves_the_password_of_the_attempt_untouched()
    {
        using var givingUp = new CancellationTokenSource();
        var seen = new SeenHash();
        var blocked = Check("blocker", peer: null);
        await hash.StartedAsync();
        var password = "secret"u8.ToArray();
        var login = new StoredLogin("u", refusal: null, [new StoredCredential("seen", seen, ExpiresAt: null)]);
        var attempt = pool.CheckAsync(cache.KeyFor("t", login, password), login, password, HashCosts.None, peer: null, isKnown: false, DateTimeOffset.UnixEpoch, givingUp.Token).AsTask();
        var sharing = pool.CheckAsync(cache.KeyFor("t", login, password), login, password, HashCosts.None, peer: null, isKnown: false, DateTimeOffset.UnixEpoch, CancellationToken.None).AsTask();
        await givingUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => attempt);
        Array.Clear(password);

        hash.Allow();
        Assert.IsType<LoginAnswer.Found<StoredCredential>>(await blocked);
        Assert.IsType<LoginAnswer.Found<StoredCredential>>(await sharing);
        Assert.Equal("secret", seen.Password);
    }

    [Fact]
    public async Task A_hash_that_throws_ends_its_own_attempt_only()
    {
        var login = new StoredLogin("u", refusal: null, [new StoredCredential("bad", new ThrowingHash(), ExpiresAt: null)]);
        var answer = await pool.CheckAsync(cache.KeyFor("t", login, Password), login, Password, HashCosts.None, peer: null, isKnown: false, DateTimeOffset.UnixEpoch, CancellationToken.None);
        Assert.Contains("out of order", Assert.IsType<LoginAnswer.Unavailable>(answer).Reason, StringComparison.Ordinal);
        hash.Allow();
        Assert.IsType<LoginAnswer.Found<StoredCredential>>(await Check("next", peer: null));
    }

    [Fact]
    public async Task Who_waits_when_the_server_stops_is_told_so()
    {
        var running = Check("running", peer: null);
        await hash.StartedAsync();
        var waiting = Check("waiting", peer: null);
        var stopping = Task.Run(pool.Dispose);
        Assert.Contains("stopping", Assert.IsType<LoginAnswer.Busy>(await waiting).Reason, StringComparison.Ordinal);
        hash.Allow();
        Assert.IsType<LoginAnswer.Found<StoredCredential>>(await running);
        await stopping;
        Assert.IsType<LoginAnswer.Busy>(await Check("after", peer: null));
    }

    [Fact]
    public async Task Hashing_threads_are_of_low_priority_and_the_caller_is_not()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var nice = new NiceHash();
        var login = new StoredLogin("u", refusal: null, [new StoredCredential("nice", nice, ExpiresAt: null)]);
        await pool.CheckAsync(cache.KeyFor("t", login, Password), login, Password, HashCosts.None, peer: null, isKnown: false, DateTimeOffset.UnixEpoch, CancellationToken.None);
        Assert.Equal(Math.Max(10, NiceHash.Read()), nice.Niceness); // the value is the same wherever the process itself stands
    }

    [Fact]
    public async Task Other_settings_count_at_once_and_nothing_that_waits_is_lost()
    {
        var first = Check("first", peer: null);
        await hash.StartedAsync();
        var waiting = Enumerable.Range(0, 3).Select(i => Check($"waiting{i}", peer: null)).ToList();
        Assert.IsType<LoginAnswer.Busy>(await Check("late", peer: null));

        pool.Apply(new HashingPoolOptions { Threads = 2, QueueLength = 3, PlacesPerPeer = 2 });
        await hash.StartedAsync(); // a second thread has begun, and has made room
        var late = Check("late", peer: null);
        pool.Apply(new HashingPoolOptions { Threads = 1, QueueLength = 1, PlacesPerPeer = 2 });
        Assert.IsType<LoginAnswer.Busy>(await Check("later", peer: null));
        hash.Allow(5);
        Assert.All(await Task.WhenAll([first, late, .. waiting]), static a => Assert.IsType<LoginAnswer.Found<StoredCredential>>(a));
        Assert.Equal(5, hash.Computed);
    }

    private Task<LoginAnswer> Check(string user, string? peer)
    {
        var login = hash.Login(user);
        return pool.CheckAsync(cache.KeyFor("test", login, Password), login, Password, HashCosts.None, peer, isKnown: false, DateTimeOffset.UnixEpoch, CancellationToken.None).AsTask();
    }

    private sealed class SeenHash() : PasswordHash("seen")
    {
        public override string Scheme => "seen";

        public string? Password { get; private set; }

        public override HashAnswer Verify(ReadOnlySpan<byte> password)
        {
            Password = System.Text.Encoding.UTF8.GetString(password);
            return HashAnswer.Of(true);
        }
    }

    private sealed class ThrowingHash() : PasswordHash("throwing")
    {
        public override string Scheme => "throwing";

        public override HashAnswer Verify(ReadOnlySpan<byte> password) => throw new InvalidOperationException("out of order");
    }

    private sealed class NiceHash() : PasswordHash("nice")
    {
        public override string Scheme => "nice";

        public int Niceness { get; private set; }

        /// <summary>Field 19 of stat, counted behind the parenthesized name.</summary>
        public static int Read()
        {
            var stat = File.ReadAllText("/proc/thread-self/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16]);
        }

        public override HashAnswer Verify(ReadOnlySpan<byte> password)
        {
            Niceness = Read();
            return HashAnswer.Of(true);
        }
    }
}
