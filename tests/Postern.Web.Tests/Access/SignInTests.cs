using System.Collections.Concurrent;
using System.Net;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Web.Access;

namespace Postern.Web.Tests.Access;

/// <summary>Name, password and code: who gets in, and what everybody else learns and costs.</summary>
public sealed class SignInTests : IDisposable
{
    private readonly AccessRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task All_who_fail_get_one_answer_after_the_same_work()
    {
        var lisa = rig.Add("lisa");
        var used = await rig.SignInAsync(lisa);
        var code = rig.CodeOf(lisa);
        rig.Add("disabled", Role.Viewer);
        rig.Commands.Operators.Disable("disabled");
        rig.Add("reset", Role.Viewer);
        rig.Commands.Operators.Reset("reset");
        var spent = new ConcurrentQueue<HashCost>();
        rig.Hashing.Spent = spent.Enqueue;
        var totals = new List<string>();
        foreach (var (name, password, shown) in ((string, string, string)[])
            [
                ("lisa", "wrong walnut tricycle", "000000"), ("nobody", AccessRig.Password, "000000"), ("lisa", AccessRig.Password, "12345"), ("lisa", AccessRig.Password, code),
                ("disabled", AccessRig.Password, "000000"), ("disabled", "wrong walnut", "000000"), ("reset", AccessRig.Password, "000000"), ("\0", AccessRig.Password, "000000"),
                (new string('x', 300), AccessRig.Password, "000000"), ("lisa", new string('x', 5000), "000000"), ("lisa", string.Empty, string.Empty),
            ])
        {
            spent.Clear();
            Assert.IsType<SignInAnswer.No>(await rig.TryAsync(name, password, shown));
            totals.Add(string.Join(", ", spent.GroupBy(static cost => cost.Kind).Select(static kind => $"{kind.Key} {kind.Sum(static cost => cost.Units)}")));
        }

        Assert.Equal(["pbkdf2 SCRAM-SHA-256 200000"], totals.Distinct());
        Assert.NotNull(await rig.FindAsync(used));
    }

    [Fact]
    public async Task A_code_counts_once_however_many_show_it_at_once()
    {
        var lisa = rig.Add("lisa");
        var code = rig.CodeOf(lisa);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => rig.TryAsync("lisa", AccessRig.Password, code).AsTask(), AccessRig.Ct)));

        Assert.Single(answers, static answer => answer is SignInAnswer.Welcome);
        Assert.IsType<SignInAnswer.No>(await rig.TryAsync("lisa", AccessRig.Password, code));
    }

    [Fact]
    public async Task The_code_of_the_setup_does_not_sign_in()
    {
        var code = rig.Invite();
        var totp = rig.Commands.Operators.Look(code)!.Totp;
        var shown = OneTimeCode.Of(totp, rig.Clock.GetUtcNow());
        rig.Commands.Operators.Enrol(new EnrolOperator(code, "lisa", new Secret(AccessRig.Password), shown));
        Assert.IsType<SignInAnswer.No>(await rig.TryAsync("lisa", AccessRig.Password, shown));
    }

    [Fact]
    public async Task Ten_thousand_guesses_from_everywhere_are_a_few_checks_and_the_owner_gets_in_from_another_network_within_a_minute()
    {
        var lisa = rig.Add("lisa");
        var before = rig.Hashing.Computed;
        for (var i = 0; i < 10_000; i++)
        {
            var from = new IPAddress([198, (byte)(18 + (i >> 13)), (byte)(i >> 5), (byte)(i & 31)]);
            Assert.IsNotType<SignInAnswer.Welcome>(await rig.TryAsync("lisa", $"wrong walnut {i}", "000000", from));
        }

        Assert.InRange(rig.Hashing.Computed - before, 10, 45);
        var elsewhere = IPAddress.Parse("203.0.113.9");
        Assert.IsType<SignInAnswer.Later>(await rig.TryAsync("lisa", AccessRig.Password, rig.CodeOf(lisa), elsewhere));
        rig.Clock.Advance(LoginProtection.ComeAgain);
        Assert.IsType<SignInAnswer.Welcome>(await rig.TryAsync("lisa", AccessRig.Password, rig.CodeOf(lisa), elsewhere));
        Assert.True(LoginProtection.ComeAgain + new LoginProtectionOptions().LongestDelay < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Guesses_of_a_code_by_who_has_the_password_are_counted_one_by_one()
    {
        rig.Add("lisa");
        var checks = 0;
        for (var i = 0; i < 1_000; i++)
            checks += await rig.TryAsync("lisa", AccessRig.Password, i.ToString("d6", System.Globalization.CultureInfo.InvariantCulture)) is SignInAnswer.No ? 1 : 0;
        Assert.Equal(10, checks);
    }

    [Fact]
    public async Task Ten_thousand_names_from_ten_thousand_networks_are_within_what_all_have_together()
    {
        var guard = new SignInGuard(rig.Log, rig.Clock, rig.Directory.DecoyKey.Span, longestDelay: TimeSpan.Zero);
        var letIn = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var turn = guard.Enter($"name{i}", new IPAddress([10, (byte)(i >> 8), (byte)i, 1]).ToString(), AccessRig.Ct);
            letIn += await turn.IsLetInAsync() ? 1 : 0;
            await guard.SettleAsync(turn, LoginOutcome.Wrong, new((UInt128)i, 1), isUser: false);
        }

        Assert.Equal(SignInGuard.All.Count, letIn);
    }

    [Fact]
    public async Task Who_signed_in_from_a_network_before_is_not_slowed_by_those_who_guess_elsewhere()
    {
        var lisa = rig.Add("lisa");
        await rig.SignInAsync(lisa);
        for (var i = 0; i < 200; i++)
            await rig.TryAsync("lisa", $"wrong walnut {i}", "000000", new IPAddress([198, 18, (byte)i, 1]));
        await rig.SignInAsync(lisa);
    }

    [Fact]
    public async Task What_is_written_down_names_operators_and_masks_other_names()
    {
        var lisa = rig.Add("lisa");
        await rig.SignInAsync(lisa);
        await rig.TryAsync("lisa", "wrong walnut tricycle", "000000");
        await rig.TryAsync("my-real-password", "x", "000000");

        var logins = rig.Log.Logins;
        Assert.Equal([("lisa", AuthOutcome.Ok, "ok"), ("lisa", AuthOutcome.Failed, "wrong password")], logins.Take(2).Select(static e => (e.User!, e.Outcome, e.Reason)));
        Assert.Matches("^\\(unknown [0-9a-f]{8}\\)$", logins[2].User);
        Assert.All(logins, static e => Assert.Equal(("web", "console", "192.0.2.7"), (e.Listener, e.Service, e.Client)));
    }

    [Fact]
    public async Task A_sign_in_that_is_given_up_gives_its_places_back()
    {
        rig.Add("lisa");
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        for (var i = 0; i < 8; i++)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                await rig.SignIn.TryAsync(new SignInRequest("lisa", new Secret($"wrong walnut {i}"), "000000"), IPAddress.Parse("198.51.100.1"), gone.Token));
        rig.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.IsType<SignInAnswer.No>(await rig.TryAsync("lisa", "wrong walnut", "000000", IPAddress.Parse("203.0.113.1")));
    }
}
