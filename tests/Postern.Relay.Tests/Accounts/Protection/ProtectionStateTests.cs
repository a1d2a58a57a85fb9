using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit.Events;
using Postern.Relay.Tests.Policy;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Protection;

public sealed class ProtectionStateTests : IDisposable
{
    private const string Office = "192.0.2.1";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-protection-").FullName;
    private readonly ProtectionFixture logins = new();
    private readonly RecordingAuditLog audit = new();

    private string State => Path.Combine(folder, "login-protection");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Row_249_budgets_and_remembered_places_survive_a_restart_and_no_secret_is_written()
    {
        Assert.True(logins.LogIn("lisa", Office));
        for (var i = 0; i < 10; i++)
            logins.Guess("bart", "198.51.100.1");
        for (var i = 0; i < 10; i++)
            logins.Guess("hunter2", "198.51.100.2", isUser: false);
        logins.Protection.Save(State);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(State));
        Assert.DoesNotContain(new[] { "lisa", "bart", "hunter2" }, name => File.ReadAllText(State).Contains(name, StringComparison.Ordinal));

        logins.Clock.Advance(TimeSpan.FromMinutes(6));
        var next = Restart();
        Assert.Empty(audit.Events);
        Assert.True(next.IsKnown("lisa", Office));
        Assert.Null(Enter(next, "bart", "198.51.100.1")); // one flowed off in between
        Assert.IsType<LoginAnswer.Unavailable>(Enter(next, "bart", "198.51.100.1", settle: false));
        Assert.Empty(audit.Events);
        logins.Clock.Advance(LoginProtection.DeviceLife);
        Assert.False(Restart().IsKnown("lisa", Office));
    }

    [Fact]
    public void A_damaged_state_is_told_set_aside_and_begun_anew()
    {
        Assert.True(logins.LogIn("lisa", Office));
        logins.Protection.Save(State);
        foreach (var damage in new Func<string, string>[] { static t => t[..^10], static t => t.Replace("device", "DEVICE", StringComparison.Ordinal), static _ => string.Empty, static _ => "\0\0\0\0" })
        {
            audit.Events.Clear();
            logins.Protection.Save(State);
            File.WriteAllText(State, damage(File.ReadAllText(State)));
            Assert.False(Restart().IsKnown("lisa", Office));
            Assert.Equal("login_protection_begun_anew", Assert.IsType<ServerEvent>(Assert.Single(audit.Events)).Event);
            Assert.True(File.Exists($"{State}.damaged"));
            Assert.False(File.Exists(State));
        }
    }

    [Fact]
    public void A_state_that_cannot_be_read_is_told_and_not_written_over()
    {
        Directory.CreateDirectory(State);
        var next = Restart();
        Assert.Equal("login_protection_begun_anew", Assert.IsType<ServerEvent>(Assert.Single(audit.Events)).Event);
        next.Save(State);
        Assert.True(Directory.Exists(State));
    }

    [Fact]
    public void A_state_of_another_directory_is_not_taken()
    {
        logins.LogIn("lisa", Office);
        logins.Protection.Save(State);
        var other = new LoginProtection(ProtectionFixture.WithoutDelay, audit, logins.Clock, "another key"u8);
        other.Load(State);
        Assert.Contains("another directory", Assert.IsType<ServerEvent>(Assert.Single(audit.Events)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_are_listed_by_how_full_they_are_and_lifted_by_address_or_account()
    {
        for (var i = 0; i < 10; i++)
            logins.Guess("lisa", Office);
        for (var i = 0; i < 25; i++)
            logins.Guess($"user{i}", "198.51.100.1");
        Assert.Equal(
            ["account lisa from 192.0.2.0/24 paused 10 10/1h", "address 198.51.100.1 slowed 25 40/1h"],
            logins.Protection.Blocks().Select(static b => $"{b.Who} {b.State} {b.Wrong} {b.Budget}"));

        Assert.True(logins.Protection.Lift("LISA") > 0);
        Assert.True(logins.Guess("lisa", Office));
        Assert.True(logins.Protection.Lift("198.51.100.1") > 0);
        Assert.Empty(logins.Protection.Blocks());
        Assert.Equal(0, logins.Protection.Lift("nobody"));
        Assert.Equal(0, logins.Protection.Lift("203.0.113.1"));
    }

    private LoginProtection Restart()
    {
        var next = new LoginProtection(ProtectionFixture.WithoutDelay, audit, logins.Clock, new byte[32]);
        next.Load(State);
        return next;
    }

    private static LoginAnswer? Enter(LoginProtection protection, string account, string peer, bool settle = true)
    {
        var entered = protection.EnterAsync(account, peer, CancellationToken.None).AsTask();
        Assert.True(entered.IsCompletedSuccessfully);
#pragma warning disable VSTHRD002 // it has completed
        var turn = entered.Result;
#pragma warning restore VSTHRD002
        if (settle)
            protection.Settle(turn, LoginOutcome.Wrong, isUser: true);
        return turn.Refusal;
    }
}
