using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;
using Postern.Relay.Tests.Accounts.Protection;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.DovecotAuth;

/// <summary>Logins through another server: every mechanism, the same budgets, and the same log as at a listener for mail.</summary>
public sealed class AuthLoginTests
{
    public static TheoryData<string> Mechanisms() => ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task The_right_password_logs_in_and_a_wrong_one_or_a_stranger_does_not(string mechanism)
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);

        Assert.Equal("OK\tuser=lisa", await peer.LogInAsync(mechanism, AuthRig.As("Lisa", AuthRig.Password)));
        Assert.Equal("FAIL\tuser=lisa", await peer.LogInAsync(mechanism, AuthRig.As("lisa", "lion")));
        Assert.Equal("FAIL\tuser=maggie", await peer.LogInAsync(mechanism, AuthRig.As("maggie", "lion")));
        Assert.Equal(
            [("ok", "lisa"), ("failed", "lisa"), ("failed", LoginNames.Mask("maggie"))],
            rig.Log.Events.OfType<LoginEvent>().Select(static e => (EventWord.Of(e.Outcome), e.User)));
    }

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public async Task A_store_that_is_down_is_a_failure_for_now(string mechanism)
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        rig.Far.Trouble = new LoginAnswer.Unavailable("it sleeps");
        await using (var peer = await AuthPeer.ConnectAsync(rig.Path))
        {
            Assert.Equal("FAIL\tuser=bart\tcode=temp_fail\ttemp", await peer.LogInAsync(mechanism, AuthRig.As("bart", "skateboard")));
            Assert.Equal("OK\tuser=lisa", await peer.LogInAsync(mechanism, AuthRig.As("lisa", AuthRig.Password)));
        }

        // Who reads no codes would say that the password is wrong.
        await using (var postfix = await AuthPeer.ConnectAsync(rig.Path, minor: 0))
            Assert.Null(await postfix.LogInAsync(mechanism, AuthRig.As("bart", "skateboard")));
        rig.Far.Trouble = null;
        await using (var postfix = await AuthPeer.ConnectAsync(rig.Path, minor: 0))
            Assert.Equal("FAIL\tuser=lisa", await postfix.LogInAsync(mechanism, AuthRig.As("lisa", "lion")));
    }

    [Fact]
    public async Task The_log_has_listener_client_service_mechanism_outcome_and_reason()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);

        await peer.LogInAsync("PLAIN", AuthRig.As("lisa", AuthRig.Password), "service=imap\tsecured\ttls_protocol=TLSv1.3\trip=2001:db8::7");
        await peer.LogInAsync("PLAIN", AuthRig.As("lisa", "lion"), "service=smtp\tsecured\trip=::ffff:192.0.2.9");
        await peer.LogInAsync("PLAIN", AuthRig.As("lisa", AuthRig.Password), "service=smtp");

        var events = rig.Log.Events.OfType<LoginEvent>().ToList();
        Assert.Equal(("postfix", "2001:db8::7", "imap", "PLAIN", AuthOutcome.Ok, "TLSv1.3"), (events[0].Listener, events[0].Client, events[0].Service, events[0].Mechanism, events[0].Outcome, events[0].Tls));
        Assert.Equal(("192.0.2.9", "smtp", AuthOutcome.Failed, "wrong password"), (events[1].Client, events[1].Service, events[1].Outcome, events[1].Reason));
        Assert.Equal(("-", AuthOutcome.Failed), (events[2].Client, events[2].Outcome));
        Assert.Contains("is taken only where the client's connection is secured", events[2].Reason, StringComparison.Ordinal);
        Assert.Equal(3, events.Select(static e => e.Id).Distinct().Count());
    }

    [Fact]
    public async Task Guesses_are_counted_by_the_clients_own_address()
    {
        await using var rig = new AuthRig(ProtectionFixture.WithoutDelay with { AccountAndNetwork = new RateLimit(3, TimeSpan.FromHours(1)) });
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);

        for (var i = 0; i < 3; i++)
            Assert.Equal("FAIL\tuser=lisa", await peer.LogInAsync("PLAIN", AuthRig.As("lisa", $"guess {i}"), "service=smtp\tsecured\trip=198.51.100.1"));

        Assert.Equal("FAIL\tuser=lisa\tcode=temp_fail\ttemp", await peer.LogInAsync("PLAIN", AuthRig.As("lisa", "guess"), "service=smtp\tsecured\trip=198.51.100.1"));
        Assert.Equal("OK\tuser=lisa", await peer.LogInAsync("PLAIN", AuthRig.As("lisa", AuthRig.Password), "service=smtp\tsecured\trip=203.0.113.5"));
        Assert.NotNull(rig.Protection!.WhyNot("lisa", "198.51.100.1"));
    }

    [Fact]
    public async Task The_proof_of_the_server_goes_with_ok_where_that_is_taken()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);

        Assert.StartsWith(
            "OK\tuser=lisa\tresp=dj", // v=
            await peer.LogInAsync("SCRAM-SHA-256", AuthRig.As("lisa", AuthRig.Password), "service=smtp\tfinal-resp-ok"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_are_answered_as_their_answers_come()
    {
        await using var rig = new AuthRig();
        rig.Apply(rig.Options);
        await using var peer = await AuthPeer.ConnectAsync(rig.Path);
        rig.Far.Close();
        var wait = Convert.ToBase64String("\0bart\0skateboard"u8);
        var quick = Convert.ToBase64String("\0lisa\0tiger"u8);

        await peer.SayAsync(string.Join('\n', Enumerable.Range(1, 20).Select(i => string.Create(CultureInfo.InvariantCulture, $"AUTH\t{i}\tPLAIN\tservice=smtp\tsecured\tresp={(i % 2 == 0 ? quick : wait)}"))));
        var first = await ReadAsync(peer, 10);
        rig.Far.Open();
        var second = await ReadAsync(peer, 10);

        Assert.Equal(Enumerable.Range(1, 10).Select(static i => $"OK\t{2 * i}\tuser=lisa").Order(StringComparer.Ordinal), first);
        Assert.Equal(Enumerable.Range(0, 10).Select(static i => $"OK\t{(2 * i) + 1}\tuser=bart").Order(StringComparer.Ordinal), second);
    }

    private static async Task<IEnumerable<string>> ReadAsync(AuthPeer peer, int count)
    {
        var lines = new List<string>();
        while (lines.Count < count)
            lines.Add((await peer.ReadAsync())!);
        return lines.Order(StringComparer.Ordinal);
    }
}
