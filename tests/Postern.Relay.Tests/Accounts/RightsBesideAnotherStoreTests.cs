using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Admin;
using Postern.Relay.Policy;
using Postern.Relay.Tests.Policy;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A user's password is in a file, and an account of the same name in the directory gives it rights: it adds to what the user has and takes nothing away.</summary>
public sealed class RightsBesideAnotherStoreTests : IDisposable
{
    private const string User = "lisa@example.org";
    private const string Password = "tiger-tiger-7";

    private readonly DirectoryFixture fixture = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_account_for_a_grant_leaves_every_login_to_the_other_store(bool directoryFirst)
    {
        var (verifiers, accounts) = Open(directoryFirst);
        var before = Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers)).Authority!;

        Assert.IsType<AdminOutcome.Done>(fixture.Commands.Accounts.Add(new AddAccount(User, ["sales@example.org"], [])));

        Assert.IsType<LoginAnswer.Holds>(await before.ReviewAsync(Ct));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync(User, "wrong"u8.ToArray(), peer: null, Ct));
        Assert.IsType<LoginAnswer.Found<ScramSecret>>(await verifiers.ScramSecrets.FindAsync(User, HashAlgorithmName.SHA256, peer: null, Ct));
        Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.SharedSecrets.FindSecretAsync(User, peer: null, Ct));
        Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.DigestSecrets.FindDigestAsync(User, "mail.example.org", peer: null, Ct));
        Assert.IsType<LoginAnswer.Match>(await verifiers.IdentifyAsync(User, Ct));
        Assert.Equal([User, "sales@example.org"], (await accounts.FindAccountAsync(User, Ct))!.Addresses);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_account_that_is_disabled_in_the_directory_logs_in_nowhere(bool directoryFirst)
    {
        var (verifiers, _) = Open(directoryFirst);
        var before = Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers)).Authority!;
        fixture.Commands.Accounts.Add(new AddAccount(User, [], []));
        fixture.Commands.Accounts.Disable(User);

        Assert.Equal(new LoginAnswer.NoMatch("the account is disabled", UserExists: true), await LogInAsync(verifiers));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.IdentifyAsync(User, Ct));
        Assert.IsType<LoginAnswer.NoMatch>(await before.ReviewAsync(Ct));
    }

    [Fact]
    public async Task A_credential_in_the_directory_is_the_one_that_counts()
    {
        var (verifiers, _) = Open(directoryFirst: true);
        var secret = fixture.AddAccount(User);
        Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(verifiers));
        Assert.IsType<LoginAnswer.Match>(await verifiers.Passwords.CheckAsync(User, Encoding.UTF8.GetBytes(secret), peer: null, Ct));
    }

    [Fact]
    public async Task A_store_behind_that_cannot_answer_is_not_taken_for_one_without_the_user()
    {
        var (verifiers, _) = Open(directoryFirst: true, file: fixture.Beside("missing"));
        fixture.Commands.Accounts.Add(new AddAccount(User, [], []));
        Assert.IsType<LoginAnswer.Unavailable>(await LogInAsync(verifiers));
    }

    [Fact]
    public async Task An_account_that_no_store_logs_in_says_that_it_has_no_credential()
    {
        var (verifiers, _) = Open(directoryFirst: true);
        fixture.Commands.Accounts.Add(new AddAccount("bart@example.org", [], []));
        Assert.Equal(new LoginAnswer.NoMatch("the account has no credential", UserExists: true), await verifiers.Passwords.CheckAsync("bart@example.org", "x"u8.ToArray(), peer: null, Ct));
    }

    [Theory]
    [InlineData("lisa@example.org", "lisa@example.org,sales@example.org")]
    [InlineData("printer", "sales@example.org")]
    public void Addresses_of_account_add_come_beside_the_own_one(string name, string addresses)
    {
        fixture.Commands.Accounts.Add(new AddAccount(name, ["sales@example.org"], []));
        Assert.Equal(addresses.Split(','), fixture.Database.FindAccount(name)!.Addresses);
    }

    [Fact]
    public void A_domain_of_account_add_leaves_the_own_address()
    {
        fixture.Commands.Accounts.Add(new AddAccount(User, [], ["example.net"]));
        Assert.Equal([User], fixture.Database.FindAccount(User)!.Addresses);
    }

    [Fact]
    public async Task What_would_change_a_refusal_of_such_a_user_adds_an_account_beside_it()
    {
        var (_, accounts) = Open(directoryFirst: true);
        var policy = new RelayPolicy(new PolicyOptions { SenderRules = ["reject_sender_login_mismatch"] }, accounts, new RecordingAuditLog(), fixture.Clock);
        var refused = await DecideAsync();
        Assert.Equal($"postern account add {User} --address sales@example.org", refused.Chain[^1].Remedy);

        fixture.Commands.Accounts.Add(new AddAccount(User, [], []));
        refused = await DecideAsync();
        Assert.Equal($"postern account grant {User} --address sales@example.org", refused.Chain[^1].Remedy);

        async Task<Decision> DecideAsync() => await policy.DryRunAsync(Judge.Facts(login: User), Judge.Path("sales@example.org"), Mailbox.Parse("bart@far.example"), Ct);
    }

    private (AccountVerifiers Verifiers, IDirectory Accounts) Open(bool directoryFirst, string? file = null)
    {
        if (file is null)
            File.WriteAllText(file = fixture.Beside("passwd"), $"{User}:{Password}\n");
        IAccountStore[] stores = [fixture.Store(), fixture.Store($"file://{file}")];
        if (!directoryFirst)
            Array.Reverse(stores);
        var verifiers = new AccountVerifiers(stores, fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        return (verifiers, verifiers.Accounts!);
    }

    private static ValueTask<LoginAnswer> LogInAsync(AccountVerifiers verifiers) => verifiers.Passwords.CheckAsync(User, Encoding.UTF8.GetBytes(Password), peer: null, Ct);
}
