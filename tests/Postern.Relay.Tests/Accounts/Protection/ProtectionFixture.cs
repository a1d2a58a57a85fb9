using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit.Events;
using Postern.Relay.Tests.Policy;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.Protection;

/// <summary>Login protection on a clock that stands still, and logins in one line.</summary>
internal sealed class ProtectionFixture
{
    public ProtectionFixture(LoginProtectionOptions? options = null) =>
        Protection = new LoginProtection(options ?? WithoutDelay, Audit, Clock, new byte[32]);

    /// <summary>The budgets as they are, and no login waits.</summary>
    public static LoginProtectionOptions WithoutDelay { get; } = new() { LongestDelay = TimeSpan.Zero };

    public ManualClock Clock { get; } = new();

    public RecordingAuditLog Audit { get; } = new();

    public LoginProtection Protection { get; }

    /// <summary>What the log was told, without the budget behind it.</summary>
    public ImmutableArray<string> Told => [.. Audit.Events.OfType<ServerEvent>().Select(static e => $"{e.Event} {e.Detail.Split(": ")[0]}")];

    public static LoginProtectionOptions Exempting(string network) => WithoutDelay with { Exempt = [IPNetwork.Parse(network)] };

    /// <summary>A login with a password of this number, which is the right one where it is 0. True where it was checked.</summary>
    public bool LogIn(string account, string peer, uint password = 0, bool isUser = true)
    {
        var turn = Enter(account, peer);
        if (turn.Refusal is not null)
            return false;
        Protection.Settle(turn, password == 0 ? LoginOutcome.Right : LoginOutcome.Wrong, KeyOf(account, password), isUser);
        return true;
    }

    /// <summary>A wrong password that nobody tried before.</summary>
    public bool Guess(string account, string peer, bool isUser = true) => LogIn(account, peer, ++guesses, isUser);

    /// <summary>A wrong proof, which the server cannot know again.</summary>
    public bool Prove(string account, string peer)
    {
        var turn = Enter(account, peer);
        Protection.Settle(turn, LoginOutcome.Wrong, isUser: true);
        return turn.Refusal is null;
    }

    public LoginTurn Enter(string account, string peer)
    {
        var turn = Protection.EnterAsync(account, peer, CancellationToken.None).AsTask();
        Assert.True(turn.IsCompletedSuccessfully, "the login waits");
#pragma warning disable VSTHRD002 // it has completed
        return turn.Result;
#pragma warning restore VSTHRD002
    }

    public static VerificationKey KeyOf(string account, uint password) => new((UInt128)(uint)account.GetHashCode(StringComparison.Ordinal), password + 1);

    private uint guesses = 1000;
}
