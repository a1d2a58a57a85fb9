using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A stored hash is never a password, whatever store it stands in and whoever made it.</summary>
public sealed class ForeignHashTests : IDisposable
{
    private const string Sha512 = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

    private readonly DirectoryFixture fixture = new();

    private string Path => fixture.Beside("passwd");

    /// <summary>What is stored, and the scheme that an operator is told; the canary is in what must not be told.</summary>
    public static TheoryData<string, string> Foreign() => new()
    {
        { "{SSHA}canaryzSkyQzdNLQ7jCg1yXqYxPdsh0ZXN0c2FsdA==", "{SSHA}" },
        { "{ssha}canaryzSkyQzdNLQ7jCg1yXqYxPdsh0ZXN0c2FsdA==", "{SSHA}" },
        { "{SSHA512}canary", "{SSHA512}" },
        { "{CRYPT}canary", "{CRYPT}" },
        { "{SHA512-CRYPT}$6$canary$short:0", "{SHA512-CRYPT}" },
        { "{DIGEST-MD5}canary", "{DIGEST-MD5}" },
        { "{canary}word", "{...}" },
        { Sha512 + ":19000:0:99999:7:::", "$6$" },
        { "$6$rounds=999999999$canary$x", "$6$" },
        { "$argon2id$v=19$m=65536,t=3,p=4$canary$RdescudvJCsgt3ub", "$argon2id$" },
        { "$apr1$canary$6Ahq1t2Qw0s7hR6oX0cZB", "$apr1$" },
        { "$2y$17$abcdefghijklmnopqrstuuA7mvc7k1a4T4gE7qQ3bI1k0mB8p6n2K", "$2y$" },
        { "$pbkdf2-sha256$29000$canary$1t8iyB2A", "$pbkdf2-sha256$" },
        { "$canary$of$nobody", "$...$" },
        { " $6$canary$x x", "$6$" },
        { "SCRAM-SHA-256$0:canary", "SCRAM-SHA-256$" },
        { "pbkdf2_sha256$260000$canary$x=", "pbkdf2_sha256$" },
        { "!", "locked" },
        { "!!", "locked" },
        { "*", "locked" },
        { "*LK*canary", "locked" },
        { "!" + Sha512, "locked" },
        { "*:19000:0:99999:7:::", "locked" },
        { "x", "locked" },
        { "x:1000:1000:canary:/home/canary:/bin/sh", "passwd or shadow" },
        { "canary:1000:1000::/home/canary:", "passwd or shadow" },
        { "canary:19000:0:99999:7:::", "passwd or shadow" },
        { "canary:0123456789abcdef0123456789abcdef", "htdigest" },
        { "0123456789abcdef0123456789abcdef", "hexadecimal" },
        { "0123456789ABCDEF0123456789abcdef01234567", "hexadecimal" },
        { "md50123456789abcdef0123456789abcdef", "PostgreSQL" },
        { "rl.3StKT.4T8M", "DES" },
        { "_J9..CCCCXBrJUJV154M", "DES" },
        { " ", "empty" },
    };

    /// <summary>Passwords that begin so, or nearly so.</summary>
    public static TheoryData<string> Awkward() => new("$ecret-word", "{secret-word", "$6$no-hash", "{SSHA}word", "!QAZ2wsx", "*****word", "0123456789abcdef0123456789abcdef", "{PLAIN}{PLAIN}", "a:1:2:3:4:5", " word with spaces ", "rl.3StKT.4T8M", "{CLEAR}x");

    public void Dispose() => fixture.Dispose();

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task Row_230_a_line_with_a_hash_that_cannot_be_verified_logs_nobody_in_and_check_names_file_line_and_scheme(string stored, string scheme)
    {
        await File.WriteAllTextAsync(Path, $"bob:brush-and-ink\nlisa:{stored}\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path + "2", "lisa:tiger-lily\n", TestContext.Current.CancellationToken);
        var verifiers = Verifiers($"file://{Path}", $"file://{Path}2");
        foreach (var password in new[] { stored, stored.Trim(), "canary", "tiger-lily", "Hello world!", string.Empty })
            Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(verifiers, "lisa", password));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.SharedSecrets.FindSecretAsync("lisa", peer: null, CancellationToken.None));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "bob", "brush-and-ink"));

        var said = Assert.Single(AccountStores.All.Single(static k => k.Word == "file").Warn(new AccountSource($"file://{Path}", "x")), w => w.Contains(", line ", StringComparison.Ordinal));
        Assert.Contains($"{Path}, line 2: ", said, StringComparison.Ordinal);
        Assert.Contains(scheme, said, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", said, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task Row_231_a_credential_of_the_directory_that_cannot_be_verified_is_answered_like_a_wrong_password(string stored, string scheme)
    {
        fixture.AddStoredHash("lisa", stored);
        var verifiers = Verifiers("directory");
        var answer = Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(verifiers, "lisa", stored));
        Assert.True(answer.UserExists);
        Assert.Contains(scheme, answer.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", answer.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Awkward))]
    public async Task Row_232_a_readable_password_that_looks_like_a_hash_says_plain_and_comes_back_as_it_was(string password)
    {
        Assert.True(HashSchemes.Shared.TryHash(new HashRequest("lisa", "x", new Secret(password), IsGenerated: false), out var hash, out var problem), problem);
        Assert.IsType<AdminOutcome.Done>(new CredentialFileCommands(Path).Set("lisa", hash));
        fixture.AddStoredHash("lisa", hash.Stored);
        foreach (var uri in new[] { $"file://{Path}", "directory" })
        {
            var verifiers = Verifiers(uri);
            Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "lisa", password));
            Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.SharedSecrets.FindSecretAsync("lisa", peer: null, CancellationToken.None));
        }

        Assert.Empty(fixture.Audit.Events);
    }

    [Theory]
    [InlineData("tiger-lily")]
    [InlineData("$ecret-word")]
    [InlineData("{secret-word")]
    [InlineData("tiger:lily")]
    [InlineData("abcdefghijklm")]
    [InlineData("x-ray")]
    public void A_readable_password_that_looks_like_no_hash_stays_one(string password) => Assert.Null(ForeignHash.Look(password));

    [Theory]
    [InlineData("{CLEAR}$6$word", "$6$word")]
    [InlineData("{cleartext}{SSHA}word", "{SSHA}word")]
    [InlineData("{plain}!word", "!word")]
    [InlineData("{SHA512-CRYPT}" + Sha512, "Hello world!")]
    [InlineData("{CRYPT}" + Sha512, "Hello world!")]
    [InlineData("{BLF-CRYPT}$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U")]
    public void A_word_before_what_can_be_verified_is_taken_off(string stored, string password)
    {
        var hash = PasswordHash.Parse(stored);
        Assert.IsType<HashAnswer.Match>(hash.Verify(Encoding.UTF8.GetBytes(password)));
        Assert.IsNotType<HashAnswer.Match>(hash.Verify(Encoding.UTF8.GetBytes(stored)));
    }

    [Fact]
    public async Task A_locked_line_locks_out_tokens_too_and_changes_nothing_in_what_is_offered()
    {
        await File.WriteAllTextAsync(Path, "lisa:*\nbob:tiger-lily\n", TestContext.Current.CancellationToken);
        var verifiers = Verifiers($"file://{Path}");
        Assert.Equal(new LoginAnswer.NoMatch(StoredLogin.Disabled, UserExists: true), await verifiers.IdentifyAsync("lisa", CancellationToken.None));
        Assert.Contains("SCRAM-SHA-256", verifiers.UsualMechanisms);
    }

    private AccountVerifiers Verifiers(params string[] uris) =>
        new([.. uris.Select(u => fixture.Store(u))], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database, Decoys = fixture.StoreContext.Decoys };

    private static ValueTask<LoginAnswer> LogInAsync(AccountVerifiers verifiers, string user, string password) =>
        verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), peer: null, CancellationToken.None);
}
