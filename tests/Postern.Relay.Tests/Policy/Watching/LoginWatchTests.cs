using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy.Watching;

/// <summary>What the watch knows of logins, over restarts; and the steps that the rule takes.</summary>
public sealed class LoginWatchTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-watch-").FullName;
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();
    private readonly List<WatchNotice> notices = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string FileOf => Path.Combine(folder, "login-history");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_history_has_less_than_2_KiB() => Assert.InRange(LoginHistory.Length, 1, 2047);

    [Fact]
    public void A_history_outlives_a_restart_and_a_damaged_line_costs_one_login()
    {
        using (var first = Open())
        {
            Live(first, "alice");
            Live(first, "bob");
        }

        using (var second = Open())
        {
            Assert.All(second.List(all: true), static one => Assert.False(one.IsLearning));
            Assert.Equal(40, Points(second, "alice", country: 9));
            Assert.Equal(0, Points(second, "alice", country: 1));
        }

        var lines = File.ReadAllLines(FileOf);
        var alice = Array.FindIndex(lines, static line => line.StartsWith("alice", StringComparison.Ordinal));
        lines[alice] = lines[alice].Replace("A", "B", StringComparison.Ordinal);
        File.WriteAllLines(FileOf, lines);
        using var third = Open();
        Assert.Equal(["bob"], third.List(all: true).Select(static one => one.Login));
        Assert.Contains(audit.Events.OfType<ServerEvent>(), static e => e.Detail.Contains("1 lines do not read", StringComparison.Ordinal));
    }

    /// <summary>What is asked in advance, and by rules on trial, changes nothing.</summary>
    [Fact]
    public void Asking_in_advance_notes_nothing()
    {
        using var watch = Open();
        Live(watch, "alice");
        for (var i = 0; i < 500; i++)
            ((ILoginWatch)watch).Judge(new("alice", null), To(i, country: 9), WatchLevels.Usual, counts: false);
        Assert.Equal(40, Points(watch, "alice", country: 9));
    }

    [Fact]
    public void Who_is_forgiven_is_at_home_where_he_was_and_what_he_did_is_his_usual()
    {
        using var suspended = SuspendedSenders.OpenBeside(Path.Combine(folder, "directory.db"), audit, clock, isServer: false);
        using var watch = Open(suspended);
        Live(watch, "alice");
        for (var i = 0; i < 200; i++)
        {
            var answer = ((ILoginWatch)watch).Judge(new("alice", null), To(i, country: 9), WatchLevels.Usual, counts: true)!;
            if (answer.Step > WatchStep.None)
                ((ILoginWatch)watch).Take(new("alice", null), IPAddress.Parse("203.0.113.9"), answer, WatchLevels.Usual);
        }

        // One word for each step, however often it was taken.
        Assert.Equal([WatchStep.Throttle, WatchStep.Hold, WatchStep.Suspend], notices.Select(static one => one.Step));
        Assert.Equal("alice", suspended.All.Single().Name);

        Assert.Equal(["alice"], watch.Forgive("alice"));

        Assert.Empty(suspended.All);
        Assert.Equal(0, Points(watch, "alice", country: 9));
    }

    [Fact]
    public async Task The_rule_holds_and_suspends_and_on_trial_does_neither()
    {
        using var suspended = SuspendedSenders.OpenBeside(Path.Combine(folder, "directory.db"), audit, clock, isServer: false);
        foreach (var (word, isReal) in new[] { ("warn_if_watch_logins", false), ("watch_logins", true) })
        {
            using var watch = new LoginWatch(path: null, suspended, audit, clock) { OnStep = notices.Add };
            Live(watch, "alice");
            var policy = new RelayPolicy(
                new PolicyOptions { SenderRules = [], RecipientRules = [RuleEntry.Parse($"{word} throttle: none"), "permit_authenticated"] },
                new Judge().Directory,
                audit,
                clock)
            {
                Watch = watch,
                Suspended = suspended,
            };
            var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
            var refused = 0;
            for (var i = 0; i < 400 && refused == 0; i++)
                refused += await policy.OnRecipientAsync(session, Mailbox.Parse($"x{i}@d{i}.example"), Ct) is Verdict.Refuse ? 1 : 0;

            Assert.Equal(isReal ? 1 : 0, refused);
            Assert.Equal(isReal ? 1 : 0, suspended.All.Length);
            WatchStep[] steps = isReal ? [WatchStep.Hold, WatchStep.Suspend] : [];
            Assert.Equal(steps, notices.Select(static one => one.Step));
            if (!isReal)
                continue;
            var chain = audit.Events.OfType<DecisionEvent>().Last().Chain;
            Assert.Contains("a network it never sent from", chain[^1].Saw, StringComparison.Ordinal);
            Assert.Equal("postern logins forgive alice", chain[^1].Remedy);
            Assert.True(await policy.OnRecipientAsync(session, Mailbox.Parse("one@more.example"), Ct) is Verdict.Refuse(_, Decision.Suspended));
        }
    }

    private LoginWatch Open(SuspendedSenders? suspended = null) => new(FileOf, suspended, audit, clock) { OnStep = notices.Add };

    /// <summary>Ten days of three messages each, from one place.</summary>
    private void Live(LoginWatch watch, string name)
    {
        for (var day = 0; day < 10; day++)
        {
            for (var i = 0; i < 3; i++)
                ((ILoginWatch)watch).Judge(new(name, null), To(i, country: 1), WatchLevels.Usual, counts: true);
            clock.Advance(TimeSpan.FromDays(1));
        }
    }

    private int Points(LoginWatch watch, string name, uint country) =>
        ((ILoginWatch)watch).Judge(new(name, null), To(1, country), WatchLevels.Usual, counts: false)!.Score.Points;

    private Sending To(int recipient, uint country) => new(country * 1000, country, country * 10, clock.GetUtcNow())
    {
        Client = 1,
        Recipient = (ulong)(recipient + 1) * 0x9E3779B97F4A7C15UL,
        Domain = (ulong)(recipient + 1) * 0xBF58476D1CE4E5B9UL,
    };
}
