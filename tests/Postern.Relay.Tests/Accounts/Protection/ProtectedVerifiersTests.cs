using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Protection;

/// <summary>The budgets before the real stores, the real threads and the real mechanisms.</summary>
public sealed class ProtectedVerifiersTests : IDisposable
{
    private const string Office = "192.0.2.1";

    private readonly DirectoryFixture fixture = new();
    private readonly HashingPool pool = new(new HashingPoolOptions { Threads = 1, QueueLength = 300, PlacesPerPeer = 300 });
    private readonly LoginProtection protection;
    private readonly AccountVerifiers verifiers;

    public ProtectedVerifiersTests()
    {
        protection = new LoginProtection(ProtectionFixture.WithoutDelay, NoAuditLog.Instance, fixture.Clock);
        verifiers = new AccountVerifiers([fixture.Store()], pool, new VerificationCache(fixture.Clock), fixture.Clock, protection);
    }

    public void Dispose()
    {
        pool.Dispose();
        fixture.Dispose();
    }

    [Fact]
    public async Task Row_54_guesses_over_any_number_of_connections_are_hashed_ten_times_and_then_wait()
    {
        var password = fixture.AddAccount("lisa");
        var guesses = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => LogIn("lisa", $"guess {i}", Office)));
        Assert.Equal(10, guesses.Count(static g => g is LoginAnswer.NoMatch));
        Assert.Equal(10, pool.Computed);
        Assert.Equal(
            "too many wrong logins: account lisa from 192.0.2.0/24 (budget 10/1h)",
            Assert.IsType<LoginAnswer.Unavailable>(await LogIn("lisa", password, Office)).Reason);
        Assert.IsType<LoginAnswer.Match>(await LogIn("lisa", password, "198.51.100.2"));
        fixture.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.IsType<LoginAnswer.Match>(await LogIn("lisa", password, Office));
    }

    [Fact]
    public async Task The_same_wrong_password_is_hashed_each_time_and_counts_once_until_the_credential_changes()
    {
        fixture.AddAccount("lisa");
        for (var i = 0; i < 50; i++)
        {
            Assert.IsType<LoginAnswer.NoMatch>(await LogIn("lisa", "old", Office));
            Assert.IsType<LoginAnswer.NoMatch>(await LogIn("nobody", "old", Office));
        }

        Assert.Equal(100, pool.Computed);
        Assert.Equal(98, protection.Counts.Repeated);
        fixture.AddCredential("lisa");
        Assert.IsType<LoginAnswer.NoMatch>(await LogIn("lisa", "old", Office));
        Assert.Equal(98, protection.Counts.Repeated);
    }

    /// <summary>A client that leaves before the answer has made the work, and learnt nothing of the account.</summary>
    [Fact]
    public async Task A_check_that_is_cancelled_costs_the_place_and_not_the_account()
    {
        fixture.AddAccount("lisa");
        using var idle = new HashingPool(new HashingPoolOptions { Threads = 0, QueueLength = 300, PlacesPerPeer = 300 });
        var unanswered = new AccountVerifiers([fixture.Store()], idle, new VerificationCache(fixture.Clock), fixture.Clock, protection);
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();
        for (var i = 0; i < 30; i++)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await unanswered.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes($"guess {i}"), Office, cancellation.Token));
        Assert.Equal(2, protection.Count); // the address and its network
        Assert.Null(protection.WhyNot("lisa", "198.51.100.9"));
        Assert.DoesNotContain(protection.Blocks(), static block => block.Who.Contains("lisa", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-1")]
    [InlineData("CRAM-MD5")]
    [InlineData("DIGEST-MD5")]
    public async Task Row_151_exchanges_that_were_opened_before_the_first_guess_get_no_more_than_the_budget(string name)
    {
        fixture.Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(new AddCredential("lisa") { Scheme = HashSchemes.Shared }));
        var mechanism = SaslMechanisms.All.First(m => m.Name == name);
        var opened = new List<(ISaslExchange Server, ISaslClientExchange Client, ReadOnlyMemory<byte> Challenge)>();
        for (var i = 0; i < 48; i++)
        {
            var client = SaslClientMechanisms.All.First(m => m.Name == name).TryStart(new SaslClientCredentials { User = "lisa", Password = new Secret($"guess {i}"), Host = "mail.example.org" })!;
            var server = mechanism.TryStart(verifiers.Context with { Peer = Office, Hostname = "mail.example.org" })!;
            var first = Assert.IsType<SaslClientStep.Response>(client.Next(null)).Data;
            opened.Add((server, client, Assert.IsType<SaslStep.Challenge>(await server.NextAsync(first, CancellationToken.None)).Data));
        }

        var errors = new List<SaslError>();
        foreach (var (server, client, challenge) in opened)
        {
            using (client)
                errors.Add(Assert.IsType<SaslStep.Failure>(await server.NextAsync(Assert.IsType<SaslClientStep.Response>(client.Next(challenge)).Data, CancellationToken.None)).Error);
        }

        Assert.Equal(10, errors.Count(static e => e == SaslError.BadCredentials));
        Assert.Equal(38, errors.Count(static e => e == SaslError.TemporaryFailure));
    }

    private async Task<LoginAnswer> LogIn(string user, string password, string peer) =>
        await verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), peer, CancellationToken.None);
}
