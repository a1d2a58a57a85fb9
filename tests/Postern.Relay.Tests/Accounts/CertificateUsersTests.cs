using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Certificates;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

public sealed class CertificateUsersTests : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private static readonly TestAuthority Authority = TestAuthority.Create("clients");

    private readonly DirectoryFixture fixture = new();
    private readonly AccountVerifiers accounts;

    public CertificateUsersTests()
    {
        accounts = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);
        foreach (var name in (string[])["lisa@example.org", "printer", "device.example.org"])
            fixture.AddAccount(name);
    }

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task The_only_address_of_a_certificate_that_an_authority_issued_is_the_account()
    {
        using var certificate = Authority.IssueClient("CN=whoever", emails: ["Lisa@Example.org"], names: ["a.example", "b.example"]);
        Assert.Equal(new LoginAnswer.Match("lisa@example.org"), await FindAsync(Shown(certificate, emails: ["Lisa@Example.org"], names: ["a.example", "b.example"])));
    }

    [Fact]
    public async Task The_only_dns_name_is_the_account_where_that_is_configured()
    {
        using var certificate = Authority.IssueClient("CN=whoever", names: ["device.example.org"]);
        Assert.Equal(new LoginAnswer.Match("device.example.org"), await FindAsync(Shown(certificate, names: ["device.example.org"]), CertificateName.Dns));
    }

    [Fact]
    public async Task Row_40_a_certificate_without_a_name_is_nobody_whatever_its_subject_says()
    {
        using var certificate = Authority.IssueClient("CN=lisa@example.org, E=lisa@example.org");
        Assert.StartsWith("the certificate has no e-mail address in its subjectAltName (subject ", await ReasonAsync(Shown(certificate)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_addresses_are_nobody()
    {
        using var certificate = Authority.IssueClient("CN=x", emails: ["lisa@example.org", "root@example.org"]);
        Assert.Contains("more than one e-mail address", await ReasonAsync(Shown(certificate, emails: ["lisa@example.org", "root@example.org"])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_without_an_account_is_in_the_reason()
    {
        using var certificate = Authority.IssueClient("CN=x", emails: ["bart@example.org"]);
        Assert.StartsWith("bart@example.org: unknown user", await ReasonAsync(Shown(certificate, emails: ["bart@example.org"])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_certificate_is_nobody()
    {
        using var certificate = Authority.IssueClient("CN=x", emails: ["lisa@example.org"], validFor: TimeSpan.FromHours(1));
        Assert.Contains("has expired", await ReasonAsync(Shown(certificate, emails: ["lisa@example.org"])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_servers_is_nobody()
    {
        using var certificate = Authority.IssueClient("CN=x", emails: ["lisa@example.org"], usage: ServerAuthentication);
        Assert.Contains("extended key usage", await ReasonAsync(Shown(certificate, emails: ["lisa@example.org"])), StringComparison.Ordinal);
    }

    /// <summary>A namesake of the authority has another key.</summary>
    [Theory]
    [InlineData("strangers")]
    [InlineData("clients")]
    public async Task A_certificate_of_another_authority_is_nobody(string name)
    {
        using var other = TestAuthority.Create(name);
        using var certificate = other.IssueClient("CN=x", emails: ["lisa@example.org"]);
        Assert.Contains("is not believed", await ReasonAsync(Shown(certificate, emails: ["lisa@example.org"])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_intermediate_may_come_from_the_client_or_stand_beside_the_root()
    {
        using var intermediate = Authority.CreateIntermediate("below");
        using var certificate = intermediate.IssueClient("CN=x", emails: ["lisa@example.org"]);
        var shown = Shown(certificate, emails: ["lisa@example.org"]);

        Assert.Contains("intermediate is missing", await ReasonAsync(shown), StringComparison.Ordinal);
        Assert.IsType<LoginAnswer.Match>(await FindAsync(shown with { Intermediates = [intermediate.Certificate.RawData] }));
        Assert.IsType<LoginAnswer.Match>(await FindAsync(shown, beside: intermediate.Certificate));
    }

    /// <summary>A client's certificate cannot issue another.</summary>
    [Fact]
    public async Task A_client_is_no_authority()
    {
        using var client = Authority.IssueClient("CN=bart", emails: ["bart@example.org"]);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=lisa", key, HashAlgorithmName.SHA256);
        using var forged = request.Create(client.SubjectName, X509SignatureGenerator.CreateForECDsa(client.GetECDsaPrivateKey()!), client.NotBefore, client.NotAfter, [1]);

        var shown = Shown(forged, emails: ["lisa@example.org"]) with { Intermediates = [client.RawData] };

        Assert.Contains("is not believed", await ReasonAsync(shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listed_certificate_is_its_account_whoever_issued_it_and_whatever_names_it_has()
    {
        using var own = TestCertificate.Create("lisa.example");
        var shown = Shown(own, emails: ["lisa@example.org"]);

        Assert.Equal(new LoginAnswer.Match("printer"), await FindAsync(shown, listed: shown.Fingerprint));
        Assert.Contains("is not believed", await ReasonAsync(shown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listed_certificate_that_has_expired_is_nobody()
    {
        using var old = Authority.IssueClient("CN=x", validFor: TimeSpan.FromHours(1));
        var shown = Shown(old);
        Assert.StartsWith("the certificate of printer has expired", Assert.IsType<LoginAnswer.NoMatch>(await FindAsync(shown, listed: shown.Fingerprint)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Row_176_a_login_by_a_certificate_ends_with_it_and_with_the_account()
    {
        using var own = TestCertificate.Create("lisa.example");
        var shown = Shown(own);
        var clock = new ManualClock(shown.NotAfter - TimeSpan.FromHours(1));
        var rules = new CertificateRules(Authorities: null, CertificateName.Email, new Dictionary<string, string> { [shown.Fingerprint] = "printer" }.ToFrozenDictionary());
        var authority = Assert.IsType<LoginAnswer.Match>(await new CertificateUsers(rules, accounts, clock).FindAsync(shown, CancellationToken.None)).Authority!;
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(CancellationToken.None));
        fixture.Commands.Accounts.Disable("printer");
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(CancellationToken.None));
        fixture.Commands.Accounts.Enable("printer");
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(CancellationToken.None));
        clock.Advance(TimeSpan.FromHours(2));
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(CancellationToken.None));
    }

    private async Task<string> ReasonAsync(ClientCertificate certificate) => Assert.IsType<LoginAnswer.NoMatch>(await FindAsync(certificate)).Reason;

    private async Task<LoginAnswer> FindAsync(ClientCertificate certificate, CertificateName name = CertificateName.Email, string? listed = null, X509Certificate2? beside = null)
    {
        var authorities = new CertificateAuthorities([Authority.Certificate], beside is null ? [] : [beside]);
        Dictionary<string, string> fingerprints = listed is null ? [] : new() { [listed] = "printer" };
        return await new CertificateUsers(new CertificateRules(authorities, name, fingerprints.ToFrozenDictionary()), accounts, TimeProvider.System).FindAsync(certificate, CancellationToken.None);
    }

    private static ClientCertificate Shown(X509Certificate2 certificate, string[]? emails = null, string[]? names = null) =>
        new(certificate.Subject, [.. names ?? []], [.. emails ?? []], certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(), certificate.NotAfter, "UntrustedRoot") { Octets = certificate.RawData };
}
