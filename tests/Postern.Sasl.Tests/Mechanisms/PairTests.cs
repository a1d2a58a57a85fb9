using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Tests.Mechanisms;

/// <summary>Each server half against the client half of the same name.</summary>
public sealed class PairTests
{
    private static readonly string[] Kerberos = ["GSSAPI"];

    public static TheoryData<string> WithPassword() => [.. SaslMechanisms.All.Select(static m => m.Name).Where(static n => n is not ("GSSAPI" or "EXTERNAL" or "ANONYMOUS" or "OAUTHBEARER" or "XOAUTH2"))];

    public static TheoryData<string> ActingAs() => [.. SaslMechanisms.All.Select(static m => m.Name).Where(static n => n is "PLAIN" or "DIGEST-MD5" || n.StartsWith("SCRAM", StringComparison.Ordinal))];

    [Fact]
    public void Both_lists_name_the_same_mechanisms_in_the_same_order() =>
        Assert.Equal(SaslMechanisms.All.Select(static m => m.Name), SaslClientMechanisms.All.Select(static m => m.Name));

    [Fact]
    public void Every_mechanism_but_kerberos_starts_where_the_store_answers_everything() =>
        Assert.Equal(Kerberos, SaslMechanisms.All.Where(static m => m.TryStart(TestUsers.Context) is null).Select(static m => m.Name));

    [Theory]
    [MemberData(nameof(WithPassword))]
    public async Task The_right_password_logs_in_and_the_server_proves_itself(string name)
    {
        var (server, client, mayTrust) = await RunAsync(name, Lisa);
        Assert.Equal(new SaslIdentity("lisa", "lisa"), Assert.IsType<SaslStep.Success>(server).Identity);
        Assert.IsType<SaslClientStep.Response>(client);
        Assert.True(mayTrust);
    }

    [Theory]
    [MemberData(nameof(WithPassword))]
    public async Task A_wrong_password_an_unknown_user_and_a_disabled_one_fail_alike(string name)
    {
        foreach (var credentials in new[] { Lisa with { Password = new Secret("pen") }, Lisa with { User = "nobody" }, Lisa with { User = "gone" } })
        {
            var (server, _, mayTrust) = await RunAsync(name, credentials);
            Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(server).Error);
            Assert.True(!mayTrust || name is "PLAIN" or "LOGIN" or "CRAM-MD5");
        }
    }

    [Theory]
    [MemberData(nameof(WithPassword))]
    public async Task A_store_that_is_down_is_a_temporary_failure(string name)
    {
        var (server, _, _) = await RunAsync(name, Lisa with { User = "down" });
        Assert.Equal(SaslError.TemporaryFailure, Assert.IsType<SaslStep.Failure>(server).Error);
    }

    [Theory]
    [MemberData(nameof(ActingAs))]
    public async Task Acting_as_another_needs_a_grant(string name)
    {
        var (granted, _, _) = await RunAsync(name, Lisa with { AuthorizationId = "shared" });
        Assert.Equal(new SaslIdentity("lisa", "shared"), Assert.IsType<SaslStep.Success>(granted).Identity);
        var (refused, _, _) = await RunAsync(name, Lisa with { AuthorizationId = "bart" });
        Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(refused).Error);
    }

    [Theory]
    [InlineData("OAUTHBEARER")]
    [InlineData("XOAUTH2")]
    public async Task A_token_logs_in_its_own_user_only(string name)
    {
        var good = new SaslClientCredentials { User = "lisa", Token = new Secret("good-token"), Host = "mail.example.org", Port = 587 };
        var (server, _, mayTrust) = await RunAsync(name, good);
        Assert.Equal(new SaslIdentity("lisa", "lisa"), Assert.IsType<SaslStep.Success>(server).Identity);
        Assert.True(mayTrust);
        foreach (var bad in new[] { good with { Token = new Secret("stale-token") }, good with { User = "bart" } })
        {
            var (refused, _, trusted) = await RunAsync(name, bad);
            Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(refused).Error);
            Assert.False(trusted);
        }

        var (down, _, _) = await RunAsync(name, good with { Token = new Secret("down-token") });
        Assert.Equal(SaslError.TemporaryFailure, Assert.IsType<SaslStep.Failure>(down).Error);
    }

    [Fact]
    public async Task External_asks_the_certificate()
    {
        var (server, _, _) = await RunAsync("EXTERNAL", new SaslClientCredentials { HasClientCertificate = true });
        Assert.Equal(new SaslIdentity("lisa", "lisa"), Assert.IsType<SaslStep.Success>(server).Identity);
        var stranger = TestUsers.Context with { External = new TestUsers { Certified = null } };
        var (refused, _, _) = await RunAsync("EXTERNAL", new SaslClientCredentials { HasClientCertificate = true }, stranger);
        Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(refused).Error);
    }

    public static TheoryData<string> OfSomebody() => [.. SaslMechanisms.All.Select(static m => m.Name).Where(static n => n is not ("GSSAPI" or "ANONYMOUS"))];

    /// <summary>Whatever proved it: what the store said of the login's authority reaches who keeps the login.</summary>
    [Theory]
    [MemberData(nameof(OfSomebody))]
    public async Task Row_170_a_login_by_any_mechanism_can_be_asked_whether_it_still_holds(string name)
    {
        var users = new TestUsers();
        var (server, _, _) = await RunAsync(name, Lisa with { Token = new Secret("good-token"), HasClientCertificate = true }, users.ToContext());
        var authority = Assert.IsType<SaslStep.Success>(server).Authority!;
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(CancellationToken.None));
        users.Login.Answer = new LoginAnswer.NoMatch("revoked");
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(ActingAs))]
    public async Task Row_170_a_login_on_behalf_of_another_rests_on_the_grant_too(string name)
    {
        var users = new TestUsers();
        var (server, _, _) = await RunAsync(name, Lisa with { AuthorizationId = "shared" }, users.ToContext());
        var authority = Assert.IsType<SaslStep.Success>(server).Authority!;
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(CancellationToken.None));
        foreach (var one in new[] { users.Login, users.Grant })
        {
            one.Answer = new LoginAnswer.Unavailable("down");
            Assert.IsType<LoginAnswer.Unavailable>(await authority.ReviewAsync(CancellationToken.None));
            one.Answer = new LoginAnswer.NoMatch("revoked");
            Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(CancellationToken.None));
            one.Answer = LoginAnswer.Holds.Instance;
        }
    }

    [Fact]
    public async Task Anonymous_is_nobody()
    {
        var (server, _, _) = await RunAsync("ANONYMOUS", new SaslClientCredentials());
        Assert.Equal("(anonymous)", Assert.IsType<SaslStep.Success>(server).Identity.AuthorizationId);
    }

    [Theory]
    [InlineData("SCRAM-SHA-1-PLUS")]
    [InlineData("SCRAM-SHA-256-PLUS")]
    [InlineData("SCRAM-SHA-512-PLUS")]
    public async Task Somebody_in_between_is_noticed_by_the_channel_binding(string name)
    {
        var (server, _, mayTrust) = await RunAsync(name, Lisa with { Channel = FixedChannel.Of("another certificate") });
        Assert.Equal(SaslError.BadCredentials, Assert.IsType<SaslStep.Failure>(server).Error);
        Assert.False(mayTrust);
    }

    [Fact]
    public async Task A_client_that_saw_no_plus_where_one_was_offered_is_refused()
    {
        var client = ScramClient.Sha256.TryStart(Lisa, serverBinds: false)!;
        var server = SaslMechanisms.All.Single(static m => m.Name == "SCRAM-SHA-256").TryStart(TestUsers.Context with { OffersChannelBinding = true })!;
        var (step, _, _) = await Dialogue.RunAsync(server, client);
        Assert.Contains("removed", Assert.IsType<SaslStep.Failure>(step).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_user_sees_the_same_salt_every_time()
    {
        var challenges = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var server = SaslMechanisms.All.Single(static m => m.Name == "SCRAM-SHA-256").TryStart(TestUsers.Context)!;
            var step = await server.NextAsync("n,,n=nobody,r=abc"u8.ToArray(), CancellationToken.None);
            var text = System.Text.Encoding.ASCII.GetString(Assert.IsType<SaslStep.Challenge>(step).Data.Span);
            challenges.Add(text[text.IndexOf(",s=", StringComparison.Ordinal)..]);
        }

        Assert.Equal(challenges[0], challenges[1]);
    }

    [Fact]
    public void The_client_takes_the_strongest_and_never_shows_a_secret_to_a_stranger()
    {
        Assert.Equal("SCRAM-SHA-512-PLUS", SaslClientMechanisms.Choose([.. SaslMechanisms.All.Select(static m => m.Name)], Lisa, isVerified: true)?.Mechanism.Name);
        Assert.Equal("PLAIN", SaslClientMechanisms.Choose(["LOGIN", "PLAIN"], Lisa, isVerified: true)?.Mechanism.Name);
        Assert.Null(SaslClientMechanisms.Choose(["LOGIN", "PLAIN"], Lisa, isVerified: false));
        Assert.Null(SaslClientMechanisms.Choose(["PLAIN"], Lisa, isVerified: true, allowed: ["SCRAM-SHA-256"]));
        Assert.Null(SaslClientMechanisms.Choose(["ANONYMOUS"], Lisa, isVerified: true));
    }

    private static SaslClientCredentials Lisa { get; } = new()
    {
        User = "lisa",
        Password = new Secret(TestUsers.Password),
        Host = "mail.example.org",
        Channel = FixedChannel.Of(),
    };

    private static Task<(SaslStep Server, SaslClientStep Client, bool MayTrust)> RunAsync(string name, SaslClientCredentials credentials, SaslContext? context = null) =>
        Dialogue.RunAsync(
            SaslMechanisms.All.Single(m => m.Name == name).TryStart(context ?? TestUsers.Context)!,
            SaslClientMechanisms.All.Single(m => m.Name == name).TryStart(credentials)!);
}
