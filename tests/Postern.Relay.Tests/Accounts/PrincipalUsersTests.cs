using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Kerberos;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

public sealed class PrincipalUsersTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();
    private readonly AccountVerifiers accounts;

    public PrincipalUsersTests()
    {
        accounts = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);
        foreach (var name in (string[])["lisa", "lisa@example.org", "host", "lisa/admin@example.org", "lisa/admin"])
            fixture.AddAccount(name);
    }

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData("lisa@EXAMPLE.ORG", PrincipalAccount.Principal, "lisa@example.org")]
    [InlineData("lisa@EXAMPLE.ORG", PrincipalAccount.Name, "lisa")]
    [InlineData("LISA@EXAMPLE.ORG", PrincipalAccount.Name, "lisa")]
    public async Task A_principal_of_a_listed_realm_is_an_account(string principal, PrincipalAccount kind, string account) =>
        Assert.Equal(new LoginAnswer.Match(account), await FindAsync(principal, kind));

    [Fact]
    public async Task Row_176_a_login_by_a_ticket_ends_with_the_account()
    {
        var authority = Assert.IsType<LoginAnswer.Match>(await FindAsync("lisa@EXAMPLE.ORG", PrincipalAccount.Name)).Authority!;
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(CancellationToken.None));
        fixture.Commands.Accounts.Remove("lisa");
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("lisa/admin@EXAMPLE.ORG")]
    [InlineData("host/lisa@EXAMPLE.ORG")]
    [InlineData("lisa@OTHER.ORG")]
    [InlineData("lisa@example.org")]
    [InlineData("lisa@EXAMPLE.ORG@OTHER.ORG")]
    [InlineData("lisa\\@EXAMPLE.ORG@EXAMPLE.ORG")]
    [InlineData("lisa\\/admin@EXAMPLE.ORG")]
    [InlineData("@EXAMPLE.ORG")]
    [InlineData("lisa")]
    [InlineData("lisa@")]
    [InlineData("")]
    [InlineData("bart@EXAMPLE.ORG")]
    [InlineData("WELLKNOWN/ANONYMOUS@EXAMPLE.ORG")]
    public async Task Any_other_principal_is_nobody(string principal)
    {
        foreach (var kind in Enum.GetValues<PrincipalAccount>())
            Assert.StartsWith($"{principal}: ", Assert.IsType<LoginAnswer.NoMatch>(await FindAsync(principal, kind)).Reason, StringComparison.Ordinal);
    }

    private ValueTask<LoginAnswer> FindAsync(string principal, PrincipalAccount kind) =>
        new PrincipalUsers(["EXAMPLE.ORG"], kind, accounts).FindPrincipalAsync(principal, CancellationToken.None);
}
