using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Tests.Accounts.Protection;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A store that answers from memory, and behind it one over a network that is down.</summary>
public sealed class StoreOutageTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();
    private readonly FarStore far = new FarStore().Add("bart", "skateboard");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData(OnOutage.Fail)]
    [InlineData(OnOutage.Next)]
    public async Task Row_250_who_fails_is_told_the_same_whichever_store_knows_him(OnOutage onOutage)
    {
        var verifiers = Open(onOutage);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "lisa", "wrong"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "bart", "wrong"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, "nobody", "wrong"));
        fixture.Clock.Advance(new StoreTerms().Remember);
        far.Trouble = new LoginAnswer.Unavailable("it sleeps");

        var told = new LoginAnswer.Unavailable("far: it sleeps");
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "lisa", "tiger"));
        var computed = fixture.Pool.Computed;
        foreach (var user in new[] { "lisa", "bart", "nobody" })
        {
            Assert.Equal(told, await CheckAsync(verifiers, user, $"wrong-{user}"));
            Assert.Equal(++computed, fixture.Pool.Computed); // and it costs them all the same
            foreach (var mechanism in new[] { "SCRAM-SHA-256", "CRAM-MD5", "DIGEST-MD5" })
                Assert.Equal((SaslError.TemporaryFailure, 2), await MechanismPlay.PlayAsync(verifiers, mechanism, user, "wrong"));
        }

        foreach (var mechanism in new[] { "SCRAM-SHA-256", "CRAM-MD5", "DIGEST-MD5" })
            Assert.Null((await MechanismPlay.PlayAsync(verifiers, mechanism, "lisa", "tiger")).Error);
    }

    [Fact]
    public async Task A_store_that_is_down_may_be_passed_over_for_those_whom_another_knows()
    {
        far.Trouble = new LoginAnswer.Unavailable("it sleeps");
        var (fails, next) = (Open(OnOutage.Fail, farFirst: true), Open(OnOutage.Next, farFirst: true));
        Assert.Equal(new LoginAnswer.Unavailable("far: it sleeps"), await CheckAsync(fails, "lisa", "tiger"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(next, "lisa", "tiger"));
        Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(next, "lisa", "wrong"));
        Assert.IsType<LoginAnswer.Unavailable>(await CheckAsync(next, "bart", "skateboard"));
        Assert.IsType<LoginAnswer.Unavailable>(await next.IdentifyAsync("bart", Ct));
        await Assert.ThrowsAsync<DirectoryUnavailableException>(async () => await next.Accounts!.FindAccountAsync("bart", Ct));
    }

    [Fact]
    public async Task A_wrong_password_counts_while_another_store_is_down_and_what_cannot_be_said_does_not()
    {
        var protection = new LoginProtection(ProtectionFixture.WithoutDelay with { AccountAndNetwork = new RateLimit(3, TimeSpan.FromHours(1)) }, NoAuditLog.Instance, fixture.Clock);
        far.Trouble = new LoginAnswer.Unavailable("it sleeps");
        var verifiers = Open(OnOutage.Fail, protection: protection);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(new LoginAnswer.Unavailable("far: it sleeps"), await CheckAsync(verifiers, "lisa", $"guess {i}"));
            Assert.Equal(new LoginAnswer.Unavailable("far: it sleeps"), await CheckAsync(verifiers, "bart", "skateboard"));
        }

        Assert.NotNull(protection.WhyNot("lisa", "192.0.2.1"));
        Assert.Null(protection.WhyNot("bart", "192.0.2.1"));
    }

    [Fact]
    public async Task A_user_of_a_store_that_checks_passwords_itself_logs_in_without_the_threads_that_hash()
    {
        var verifiers = Open(OnOutage.Fail);
        var match = Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "bart", "skateboard"));
        Assert.Equal(0, fixture.Pool.Computed);
        Assert.IsType<LoginAnswer.Holds>(await match.Authority!.ReviewAsync(Ct));
        var refused = Assert.IsType<LoginAnswer.NoMatch>(await verifiers.ScramSecrets.FindAsync("bart", HashAlgorithmName.SHA256, peer: null, Ct));
        Assert.Contains("checks the password itself", refused.Reason, StringComparison.Ordinal);
        far.Remove("bart");
        Assert.IsType<LoginAnswer.Holds>(await match.Authority!.ReviewAsync(Ct)); // as long as its answer is remembered
        fixture.Clock.Advance(new StoreTerms().Remember);
        Assert.Equal(new LoginAnswer.NoMatch("account bart does not exist any more", UserExists: true), await match.Authority!.ReviewAsync(Ct));
    }

    [Fact]
    public async Task The_rights_of_a_user_are_those_of_its_store_and_those_of_the_directory()
    {
        far.Add("homer@example.org", "doughnut", new Account("homer@example.org", Enabled: true, ["homer@example.org", "plant@example.org"], ["sector7g.example"]) { ActsAs = ["bart"], Tenant = "plant" });
        var verifiers = Open(OnOutage.Fail);
        var alone = await verifiers.Accounts!.FindAccountAsync("homer@example.org", Ct);
        Assert.Equal(("far", "plant"), (alone!.Store, alone.Tenant));
        Assert.Equal(["homer@example.org", "plant@example.org"], alone.Addresses);

        fixture.Commands.Accounts.Add(new AddAccount("homer@example.org", ["sales@example.org"], []));
        var both = await verifiers.Accounts!.FindAccountAsync("homer@example.org", Ct);
        Assert.Equal(["homer@example.org", "plant@example.org", "sales@example.org"], both!.Addresses.Order(StringComparer.Ordinal));
        Assert.Equal(["sector7g.example"], both.Domains);
        Assert.Null(both.Store);
        Assert.IsType<LoginAnswer.Match>(await verifiers.Grants.ActAsAsync("homer@example.org", "bart", Ct));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, "homer@example.org", "doughnut"));

        fixture.Commands.Accounts.Disable("homer@example.org");
        Assert.False((await verifiers.Accounts!.FindAccountAsync("homer@example.org", Ct))!.Enabled);
        Assert.Equal(new LoginAnswer.NoMatch("the account is disabled", UserExists: true), await CheckAsync(verifiers, "homer@example.org", "doughnut"));
    }

    [Fact]
    public async Task A_user_that_its_store_has_disabled_neither_logs_in_nor_sends()
    {
        far.Add("moe", "bar", refusal: "locked since Tuesday");
        var verifiers = Open(OnOutage.Fail);
        Assert.Equal(new LoginAnswer.NoMatch("locked since Tuesday", UserExists: true), await CheckAsync(verifiers, "moe", "bar"));
        Assert.Equal(1, far.Checked);
        Assert.False((await verifiers.Accounts!.FindAccountAsync("moe", Ct))!.Enabled);
    }

    private static async ValueTask<LoginAnswer> CheckAsync(AccountVerifiers verifiers, string user, string password) =>
        await verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), "192.0.2.1", Ct);

    private AccountVerifiers Open(OnOutage onOutage, bool farFirst = false, LoginProtection? protection = null)
    {
        File.WriteAllText(fixture.Beside("passwd"), "lisa:tiger\n");
        var (file, behind) = (fixture.Store($"file://{fixture.Beside("passwd")}"), far.Bound(fixture.Clock, new StoreTerms { OnOutage = onOutage }));
        return new AccountVerifiers(farFirst ? [behind, file] : [fixture.Store(), file, behind], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock, protection) { Directory = fixture.Database };
    }
}
