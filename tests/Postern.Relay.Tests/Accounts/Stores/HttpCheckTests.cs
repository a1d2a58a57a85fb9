using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Stores;

/// <summary>A service over HTTP that checks passwords itself: <c>check: true</c>.</summary>
public sealed class CheckingHttpRig() : HttpRig("true")
{
    public override string Word => "https` with `check: true";

    public override StoreAbilities Abilities => StoreAbilities.Disabled | StoreAbilities.Expiry | StoreAbilities.Rights | StoreAbilities.Reload | StoreAbilities.AccountNames;
}

/// <summary>The same that knows nobody without his password: <c>check: only</c>.</summary>
public sealed class OnlyCheckingHttpRig() : HttpRig("only")
{
    public override string Word => "https` with `check: only";

    public override StoreAbilities Abilities => StoreAbilities.Expiry | StoreAbilities.Reload;

    public override bool PresumesUsers => true;
}

public sealed class CheckingHttpStoreContractTests(CheckingHttpRig rig) : StoreContract<CheckingHttpRig>(rig);

public sealed class OnlyCheckingHttpStoreContractTests(OnlyCheckingHttpRig rig) : StoreContract<OnlyCheckingHttpRig>(rig);

public sealed class HttpCheckTests(CheckingHttpRig rig) : HttpCheckFacts<CheckingHttpRig>(rig)
{
    [Fact]
    public async Task Who_is_there_is_known_without_a_password()
    {
        await Rig.PutAsync(new RigUser("scott", "tiger") { Domains = ["example.org"], Tenant = "mytenant" });
        var account = (await Open().Accounts!.FindAccountAsync("scott", Ct))!;
        Assert.Equal("mytenant", account.Tenant);
        Assert.Equal(["example.org"], account.Domains);
        Assert.False(Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Open(), "nobody", "tiger")).UserExists);
    }
}

public sealed class HttpOnlyCheckTests(OnlyCheckingHttpRig rig) : HttpCheckFacts<OnlyCheckingHttpRig>(rig)
{
    [Fact]
    public async Task What_the_service_said_with_the_password_is_known_from_the_login_on()
    {
        await Rig.PutAsync(new RigUser("scott", "tiger") { Addresses = ["scott@example.org"], Tenant = "mytenant" });
        var verifiers = Open();
        Assert.Empty((await verifiers.Accounts!.FindAccountAsync("scott", Ct))!.Addresses);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "scott", "wrong"));
        Assert.Empty((await verifiers.Accounts!.FindAccountAsync("scott", Ct))!.Addresses);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "scott", "tiger"));
        Assert.Equal(["scott@example.org"], (await verifiers.Accounts!.FindAccountAsync("scott", Ct))!.Addresses);
        Assert.Equal("mytenant", (await verifiers.Accounts!.FindAccountAsync("scott", Ct))!.Tenant);
    }

    [Fact]
    public async Task A_token_or_a_ticket_is_nobodys_there() =>
        Assert.IsType<LoginAnswer.NoMatch>(await Open().IdentifyAsync("scott", Ct));
}

/// <summary>What <see cref="StoreContract{TRig}"/> does not ask of a store.</summary>
public abstract class HttpCheckFacts<TRig>(TRig rig) : IClassFixture<TRig>, IDisposable
    where TRig : HttpRig
{
    private readonly DirectoryFixture fixture = new();
    private readonly List<IAccountStore> opened = [];

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TRig Rig => rig;

    public void Dispose()
    {
        foreach (var store in opened)
            store.Dispose();
        fixture.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_service_says_whether_a_password_is_right()
    {
        await rig.PutAsync(new RigUser("lisa@example.org", "tiger\"\\\u00e9"));
        var verifiers = Open();
        Assert.Equal("lisa@example.org", Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "Lisa@example.org", "tiger\"\\\u00e9")).User);
        Assert.Equal(0, fixture.Pool.Computed);
        foreach (var wrong in new[] { "tiger", "", "tiger\0", "' or '1'='1" })
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "lisa@example.org", wrong));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("lisa@example.org", new byte[] { 0xff, 0xfe }, "192.0.2.1", Ct));
    }

    [Fact]
    public async Task Only_mechanisms_that_show_the_password_are_offered()
    {
        var store = AccountStores.Open(fixture.StoreContext, rig.Configure());
        opened.Add(store);
        Assert.Equal(StoredForms.Password, store.Forms);
        Assert.NotNull((await MechanismPlay.PlayAsync(Open(), "SCRAM-SHA-256", "lisa@example.org", "tiger")).Error);
        Assert.DoesNotContain(rig.Server.Asked, static q => q.Text.Contains("SCRAM", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_disabled_user_is_told_no_with_the_right_password()
    {
        await rig.PutAsync(new RigUser("bart@example.org", "tiger") { IsDisabled = true });
        Assert.Equal(StoredLogin.Disabled, Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Open(), "bart@example.org", "tiger")).Reason);
    }

    [Fact]
    public async Task A_right_password_is_remembered_for_a_while_and_a_wrong_one_is_not()
    {
        await rig.PutAsync(new RigUser("maggie@example.org", "tiger"));
        var verifiers = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "maggie@example.org", "tiger"));
        var before = rig.Server.Asked.Count;
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "maggie@example.org", "tiger"));
        Assert.Equal(before, rig.Server.Asked.Count);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "maggie@example.org", "lion"));
        Assert.True(rig.Server.Asked.Count > before);
    }

    protected static Task<LoginAnswer> CheckAsync(AccountVerifiers verifiers, string user, string password) =>
        verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), "192.0.2.1", Ct).AsTask();

    protected AccountVerifiers Open(AccountSource? source = null)
    {
        var store = AccountStores.Open(fixture.StoreContext, source ?? rig.Configure());
        opened.Add(store);
        return new AccountVerifiers([store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
    }
}
