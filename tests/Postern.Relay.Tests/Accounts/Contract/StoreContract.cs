using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>
/// What every account store promises, against the real thing: a store is tested by a class that derives from this, and a rig. What a store
/// cannot hold its rig does not have, and then there is nothing to try.
/// </summary>
public abstract class StoreContract<TRig>(TRig rig) : IClassFixture<TRig>, IDisposable
    where TRig : class, IStoreRig
{
    private static readonly string Bcrypt = BCrypt.Net.BCrypt.HashPassword("secret", 4);

    private static readonly string Salted = "{SSHA256}" + Convert.ToBase64String([.. SHA256.HashData("tigersalt"u8), .. "salt"u8]);

    private static readonly string[] EveryMechanism = ["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "CRAM-MD5", "DIGEST-MD5"];

    private static int count;

    private readonly DirectoryFixture fixture = new();
    private readonly List<IAccountStore> opened = [];
    private readonly string lisa = $"lisa{Interlocked.Increment(ref count)}@example.org";

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TRig Rig => rig;

    /// <summary>The one that was opened last.</summary>
    protected IAccountStore Store => opened[^1];

    /// <summary>The directory that stands beside the store.</summary>
    private protected DirectoryFixture Beside => fixture;

    public void Dispose()
    {
        foreach (var store in opened)
            store.Dispose();
        fixture.Dispose();
    }

    [Fact]
    public async Task The_right_password_logs_in_and_a_wrong_one_does_not()
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open();
        Assert.Equal(lisa, Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger")).User);
        foreach (var wrong in new[] { "Tiger", "tiger ", " tiger", "tige", "tigers", "", "tiger\0", "' or '1'='1", "{PLAIN}tiger", "*" })
            Assert.Equal(!rig.PresumesUsers, Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, wrong)).UserExists);
    }

    [Fact]
    public async Task Nobody_is_nobody()
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open();
        foreach (var name in new[] { "nobody@example.org", lisa[..^1], lisa + "x", $"x{lisa}", lisa.Split('@')[0], "@example.org" })
            Assert.False(Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, name, "tiger")).UserExists, name);
    }

    [Theory]
    [MemberData(nameof(StoreCases.NamesOfAnAttacker), MemberType = typeof(StoreCases))]
    public async Task A_name_is_a_name_whatever_it_means_elsewhere(string pattern)
    {
        await PutAsync(lisa, "tiger");
        var name = pattern.Replace("{0}", lisa, StringComparison.Ordinal);
        var verifiers = Open();
        foreach (var password in new[] { "tiger", name, "" })
            Assert.False((await CheckAsync(verifiers, name, password) as LoginAnswer.NoMatch)?.UserExists ?? true, name);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger"));

        // And it can be the name of somebody, who is that one and nobody else.
        if (!LoginNames.TryCanonical(name, out var canonical) || LoginNames.IsDisguisedAddress(name) || canonical != name || !rig.CanHold(name))
            return;
        await PutAsync(name, "leopard");
        verifiers = Open();
        Assert.Equal(name, Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, name, "leopard")).User);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, name, "tiger"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, "leopard"));
        await rig.RemoveAsync(name);
    }

    [Fact]
    public async Task A_name_is_the_same_in_upper_case_and_in_full_width()
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open();
        Assert.Equal(lisa, Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa.ToUpperInvariant(), "tiger")).User);
        Assert.Equal(lisa, Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa.Replace('l', '\uff4c'), "tiger")).User);
    }

    [Theory]
    [InlineData("b\u00e4rt", "pa\u00dfwort")]
    [InlineData("\u7528\u6237", "\u5bc6\u7801 with spaces")]
    [InlineData("\u03b1\u03bb\u03ae\u03b8\u03b5\u03b9\u03b1", "\ud83d\udc2f\ud83d\udd11")]
    [InlineData("\u05d3\u05df", "\u0661\u0662\u0663")]
    public async Task Names_and_passwords_are_of_any_script(string name, string password)
    {
        await PutAsync(name, password);
        var verifiers = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, name, password));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, name.Normalize(NormalizationForm.FormD), password));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, name, password + "x"));
        await rig.RemoveAsync(name);
    }

    [Fact]
    public async Task An_accent_makes_another_name()
    {
        await PutAsync(lisa, "tiger");
        var other = lisa.Replace("lisa", "l\u00edsa", StringComparison.Ordinal);
        // A database may say that they are the same; then whose account it is has to be said, and is.
        if (await CheckAsync(Open(), other, "tiger") is LoginAnswer.Match)
            Assert.Equal(lisa, Found(await FindAsync(other)).Account.Name);
    }

    [Fact]
    public async Task A_long_name_and_a_long_password_are_whole()
    {
        var (name, password) = (new string('n', 243) + "@example.org", new string('p', rig.LongestPassword));
        await PutAsync(name, password);
        var verifiers = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, name, password));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, name, password[..^1]));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, name[1..], password));
        await rig.RemoveAsync(name);
    }

    [RigFact(StoreAbilities.Disabled)]
    public async Task A_disabled_user_does_not_log_in_and_does_not_send()
    {
        await rig.PutAsync(new RigUser(lisa, "{PLAIN}tiger") { IsDisabled = true });
        var verifiers = Open();
        Assert.Equal(StoredLogin.Disabled, Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, "tiger")).Reason);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, "wrong"));
        Assert.False((await verifiers.Accounts!.FindAccountAsync(lisa, Ct))!.Enabled);
        foreach (var mechanism in EveryMechanism)
            Assert.Equal(SaslError.BadCredentials, (await MechanismPlay.PlayAsync(verifiers, mechanism, lisa, "tiger")).Error);
    }

    [RigFact(StoreAbilities.Several)]
    public async Task Each_of_several_secrets_logs_in()
    {
        await rig.PutAsync(new RigUser(lisa, "{PLAIN}tiger", Scram("leopard"), Bcrypt));
        var verifiers = Open();
        foreach (var password in new[] { "tiger", "leopard", "secret" })
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, password));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, "lion"));
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", lisa, "leopard")).Error);
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, "CRAM-MD5", lisa, "tiger")).Error);
    }

    [RigFact(StoreAbilities.Expiry)]
    public async Task An_expired_secret_logs_nobody_in()
    {
        await rig.PutAsync(new RigUser(lisa, "{PLAIN}tiger") { ExpiresAt = fixture.Clock.GetUtcNow().AddHours(1) });
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Open(), lisa, "tiger"));
        await rig.PutAsync(new RigUser(lisa, "{PLAIN}tiger") { ExpiresAt = fixture.Clock.GetUtcNow().AddHours(-1) });
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Open(), lisa, "tiger"));
        Assert.Equal(SaslError.BadCredentials, (await MechanismPlay.PlayAsync(Open(), "SCRAM-SHA-256", lisa, "tiger")).Error);
    }

    [RigFact(StoreAbilities.Readable)]
    public async Task A_readable_password_answers_every_mechanism()
    {
        await rig.PutAsync(new RigUser(lisa, "tiger"));
        var verifiers = Open();
        foreach (var mechanism in EveryMechanism)
        {
            Assert.True((await MechanismPlay.PlayAsync(verifiers, mechanism, lisa, "tiger")).Error is null, mechanism);
            Assert.True((await MechanismPlay.PlayAsync(verifiers, mechanism, lisa, "lion")).Error is SaslError.BadCredentials, mechanism);
        }
    }

    [RigFact(StoreAbilities.Forms)]
    public async Task A_stored_form_answers_the_mechanisms_that_it_can()
    {
        foreach (var (stored, password, can) in new[]
        {
            (Scram("tiger"), "tiger", "PLAIN LOGIN SCRAM-SHA-256"),
            (Bcrypt, "secret", "PLAIN LOGIN"),
            (Salted, "tiger", "PLAIN LOGIN"),
        })
        {
            await rig.PutAsync(new RigUser(lisa, stored));
            var verifiers = Open();
            foreach (var mechanism in EveryMechanism)
                Assert.True((await MechanismPlay.PlayAsync(verifiers, mechanism, lisa, password)).Error is null == can.Split(' ').Contains(mechanism), $"{mechanism} with {stored[..6]}");
        }
    }

    [RigFact(StoreAbilities.Forms)]
    public async Task What_is_no_form_of_a_password_is_no_password()
    {
        foreach (var stored in new[] { "{UNKNOWN}tiger", "$99$salt$tiger", "!", "SCRAM-SHA-256$oops" })
        {
            await rig.PutAsync(new RigUser(lisa, stored));
            var verifiers = Open();
            foreach (var password in new[] { stored, "tiger", "", "!" })
                Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, password));
        }
    }

    [Fact]
    public async Task A_user_may_send_as_itself()
    {
        await PutAsync(lisa, "tiger");
        var own = (await Open().Accounts!.FindAccountAsync(lisa, Ct))!;
        Assert.All(own.Addresses, address => Assert.Equal(lisa, address));
        Assert.Empty(own.Domains);
    }

    [RigFact(StoreAbilities.Rights)]
    public async Task The_rights_that_a_store_gives_are_those_of_the_user()
    {
        await rig.PutAsync(new RigUser(lisa, "{PLAIN}tiger") { Addresses = ["sales@example.org", "Lisa@Example.ORG"], Domains = ["shop.example"], Tenant = "mytenant" });
        var account = (await Open().Accounts!.FindAccountAsync(lisa, Ct))!;
        Assert.Equal(["lisa@example.org", "sales@example.org"], account.Addresses.Order(StringComparer.Ordinal));
        Assert.Equal(["shop.example"], account.Domains);
        Assert.Equal("mytenant", account.Tenant);
    }

    [RigFact(StoreAbilities.AccountNames)]
    public async Task An_account_may_have_another_name_than_its_login()
    {
        await rig.PutAsync(new RigUser(lisa, "{PLAIN}tiger") { AccountName = "Lisa.Simpson", Addresses = [lisa] });
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Open(), lisa, "tiger"));
        Assert.Equal("lisa.simpson", Found(await FindAsync(lisa)).Account.Name);
    }

    [Fact]
    public async Task Who_fails_costs_the_same_and_is_told_the_same()
    {
        await PutAsync(lisa, "tiger");
        var disabled = $"disabled-{lisa}";
        if (rig.Abilities.HasFlag(StoreAbilities.Disabled))
            await rig.PutAsync(new RigUser(disabled, "{PLAIN}tiger") { IsDisabled = true });
        var verifiers = Open();
        await CheckAsync(verifiers, lisa, "tiger");
        foreach (var user in new[] { lisa, "nobody@example.org", disabled })
        {
            var (computed, checks) = (fixture.Pool.Computed, await rig.CountChecksAsync());
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, user, $"wrong-{user}"));
            Assert.Equal(computed + (rig.PresumesUsers ? 0 : 1), fixture.Pool.Computed);
            Assert.Equal(checks + 1, await rig.CountChecksAsync());
        }

        foreach (var mechanism in EveryMechanism)
        {
            var told = new[] { lisa, "nobody@example.org" }.Select(async user => await MechanismPlay.PlayAsync(verifiers, mechanism, user, "wrong"));
            Assert.Single((await Task.WhenAll(told)).Select(one => rig.PassesOn ? (one.Error, 0) : one).Distinct());
        }
    }

    [Fact]
    public async Task A_stranger_is_shown_the_same_salt_every_time()
    {
        await PutAsync(lisa, "tiger");
        foreach (var name in new[] { "nobody@example.org", lisa })
        {
            var (one, two) = (await SaltAsync(Open(), name), await SaltAsync(Open(), name));
            Assert.Equal(one, two);
        }
    }

    [RigFact(StoreAbilities.Reload)]
    public async Task A_password_that_is_changed_at_the_source_counts_at_once()
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, $"new-{lisa}", "leopard"));
        await PutAsync(lisa, "leopard");
        await PutAsync($"new-{lisa}", "leopard");
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "leopard"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, "tiger"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, $"new-{lisa}", "leopard"));
        if (rig.Abilities.HasFlag(StoreAbilities.Readable))
        {
            await PutAsync(lisa, "lion");
            fixture.Clock.Advance(TimeSpan.FromSeconds(1));
            // A client that shows no password has its challenge from what is remembered, so it may take one try more.
            _ = await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", lisa, "lion");
            fixture.Clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Null((await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", lisa, "lion")).Error);
        }
    }

    [RigFact(StoreAbilities.Reload)]
    public async Task Whoever_is_taken_away_is_gone_when_the_answer_is_too_old()
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open();
        var login = Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger"));
        Assert.IsType<LoginAnswer.Holds>(await login.Authority!.ReviewAsync(Ct));
        await rig.RemoveAsync(lisa);
        fixture.Clock.Advance(new StoreTerms().Remember);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, "tiger"));
        if (!rig.PresumesUsers)
            Assert.IsType<LoginAnswer.NoMatch>(await login.Authority!.ReviewAsync(Ct));
    }

    [Fact]
    public async Task Many_who_log_in_at_once_are_each_themselves()
    {
        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"u{i}-{lisa}")];
        foreach (var name in names)
            await PutAsync(name, $"secret of {name}");
        var verifiers = Open();
        for (var round = 0; round < 5; round++)
        {
            fixture.Clock.Advance(new StoreTerms().Remember);
            var all = names.SelectMany((name, i) => names.Select(async (other, j) => (name == other, await CheckAsync(verifiers, name, $"secret of {other}", (8 * i) + j))));
            Assert.All(await Task.WhenAll(all), static one => Assert.Equal(one.Item1, one.Item2 is LoginAnswer.Match));
        }
    }

    [Fact]
    public async Task A_client_that_leaves_takes_nothing_with_it()
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open();
        for (var i = 0; i < 100; i++)
        {
            using var leaves = new CancellationTokenSource();
            var asked = verifiers.Passwords.CheckAsync($"{i}-{lisa}", "x"u8.ToArray(), "192.0.2.1", leaves.Token).AsTask();
            await leaves.CancelAsync();
            await Record.ExceptionAsync(() => asked);
        }

        await LogInInTheEndAsync(verifiers);
    }

    [RigFact(StoreAbilities.Socket)]
    public async Task It_is_reached_over_a_socket_of_this_machine()
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open(rig.ConfigureSocket()!);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, lisa, "wrong"));
    }

    [RigTheory]
    [RigFailures(OfWorkingStores = true)]
    public async Task A_failure_of_which_nobody_heard_is_nobodys_trouble(StoreFailure failure)
    {
        await PutAsync(lisa, "tiger");
        var verifiers = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger"));
        await (await rig.Faults[failure].Begin())();
        fixture.Clock.Advance(new StoreTerms().Remember);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger").WaitAsync(TimeSpan.FromSeconds(60), Ct));
    }

    [Fact]
    public async Task No_secret_stands_in_any_text()
    {
        await PutAsync(lisa, "tiger-of-lisa");
        var (source, verifiers) = (rig.Configure(), Open());
        string[] texts =
        [
            source.ToString(), source.Uri, opened[^1].Name, $"{await CheckAsync(verifiers, lisa, "tiger-of-lisa")}", $"{await CheckAsync(verifiers, lisa, "guess-of-lisa")}",
            $"{await CheckAsync(verifiers, "guess-of-lisa", "guess-of-lisa")}", $"{await FindAsync(lisa)}", AccountStores.WhyNot(source) ?? "", .. AccountStores.Of(source)!.Warn(source),
        ];
        Assert.All(texts, text => Assert.DoesNotContain("-of-lisa", text, StringComparison.Ordinal));
        if (rig.ServicePassword is { } secret)
            Assert.All(texts, text => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }

    [RigTheory]
    [RigFailures]
    public async Task While_it_fails_nobody_learns_anything_and_it_is_over_when_it_is_mended(StoreFailure failure)
    {
        var fault = rig.Faults[failure];
        await PutAsync(lisa, "tiger");
        var verifiers = fault.Entry is null ? Open() : Open(fault.Entry());
        if (fault.Entry is null)
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, lisa, "tiger"));
        var mend = await fault.Begin();
        try
        {
            fixture.Clock.Advance(new StoreTerms().Remember);
            foreach (var (user, password) in new[] { (lisa, "tiger"), (lisa, "wrong"), ("nobody@example.org", "tiger") })
            {
                var asked = CheckAsync(verifiers, user, password);
                if (fault.IsSilent)
                    await PassAsync(asked);
                var answer = await asked.WaitAsync(TimeSpan.FromSeconds(60), Ct);
                if (fault.Said is null)
                {
                    Assert.Equal((user, password) == (lisa, "tiger"), answer is LoginAnswer.Match);
                    continue;
                }

                var reason = Assert.IsType<LoginAnswer.Unavailable>(answer).Reason;
                Assert.Contains(fault.Said, reason, StringComparison.Ordinal);
                if (rig.ServicePassword is { } secret)
                    Assert.DoesNotContain(secret, reason, StringComparison.Ordinal);
            }
        }
        finally
        {
            await mend();
        }

        await LogInInTheEndAsync(fault.Entry is null ? verifiers : Open());
    }

    /// <summary>By the verifiers that saw it fail, and within five seconds: a file is looked at once a second, a server is asked anew each time.</summary>
    private async Task LogInInTheEndAsync(AccountVerifiers verifiers)
    {
        LoginAnswer? answer = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        for (var second = 0; second < 5;)
        {
            answer = await CheckAsync(verifiers, lisa, "tiger").WaitAsync(patience.Token);
            switch (answer)
            {
                case LoginAnswer.Match:
                    return;
                case LoginAnswer.Busy: // what others have asked comes to its end
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
                    break;
                default:
                    fixture.Clock.Advance(TimeSpan.FromSeconds(1));
                    second++;
                    break;
            }
        }

        Assert.Fail($"{answer}");
    }

    /// <summary>In steps: some stores wait for one thing after another.</summary>
    private async Task PassAsync(Task asked)
    {
        while (!asked.IsCompleted)
        {
            fixture.Clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.WhenAny(asked, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }
    }

    private static string Scram(string password) =>
        ScramHash.Create(new Secret(password), 4096, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).Stored;

    protected static StoredLogin Found(LoginAnswer answer) => Assert.IsType<LoginAnswer.Found<StoredLogin>>(answer).Stored;

    protected static Task<LoginAnswer> CheckAsync(AccountVerifiers verifiers, string user, string password, int from = 1) =>
        verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), string.Create(CultureInfo.InvariantCulture, $"192.0.2.{from}"), Ct).AsTask();

    private static async Task<string> SaltAsync(AccountVerifiers verifiers, string user)
    {
        if (SaslMechanisms.All.Single(static m => m.Name == "SCRAM-SHA-256").TryStart(verifiers.Context) is not { } exchange)
            return string.Empty;
        var challenge = Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(Encoding.UTF8.GetBytes($"n,,n={user},r=abcdefgh"), Ct));
        var text = Encoding.UTF8.GetString(challenge.Data.Span);
        return text[text.IndexOf(",s=", StringComparison.Ordinal)..];
    }

    /// <summary>What the store says that was opened last.</summary>
    protected async Task<LoginAnswer> FindAsync(string user) => await opened[^1].FindAsync(user, Ct);

    /// <summary>As it is where that can be, else in a form that the store has.</summary>
    private Task PutAsync(string user, string password) => rig.PutAsync(new RigUser(user, rig.Abilities.HasFlag(StoreAbilities.Forms) ? $"{{PLAIN}}{password}" : password));

    protected AccountVerifiers Open(AccountSource? source = null)
    {
        var store = AccountStores.Open(rig is DirectoryRig directory ? directory.Context : fixture.StoreContext, source ?? rig.Configure());
        opened.Add(store);
        return new AccountVerifiers([store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock)
        {
            Directory = fixture.Database,
            Decoys = new Decoys(fixture.Database.DecoyKey.Span),
        };
    }
}
