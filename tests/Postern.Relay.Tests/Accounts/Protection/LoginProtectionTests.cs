using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit.Events;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts.Protection;

public sealed class LoginProtectionTests
{
    private const string Office = "192.0.2.1";

    private readonly ProtectionFixture logins = new();

    [Fact]
    public void Row_240_an_office_with_one_stale_phone_keeps_working()
    {
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            Assert.True(logins.LogIn("stale", Office, password: 7));
            if (minute % 60 == 0)
                Assert.True(logins.LogIn($"colleague{minute / 60}", Office));
            logins.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.True(logins.LogIn("stale", Office));
        Assert.Empty(logins.Told);
        Assert.Equal((24 * 60) - 1, logins.Protection.Counts.Repeated);
    }

    [Fact]
    public void Row_241_a_stale_phone_that_never_shows_its_password_slows_its_own_account_at_its_own_place_and_nobody_else()
    {
        Assert.True(logins.LogIn("colleague", Office));
        var proofs = 0;
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            proofs += logins.Prove("stale", Office) ? 1 : 0;
            if (minute % 60 == 0)
            {
                Assert.True(logins.LogIn("colleague", Office));
                Assert.True(logins.LogIn($"new{minute / 60}", Office));
            }

            logins.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.InRange(proofs, 240, 250); // ten, and ten an hour
        Assert.True(logins.LogIn("stale", "198.51.100.1"));
        Assert.All(logins.Told, static told => Assert.EndsWith("account stale from 192.0.2.0/24", told, StringComparison.Ordinal));
    }

    [Fact]
    public void Row_150_six_hundred_guesses_with_a_success_of_ones_own_account_between_them_get_at_most_the_budget()
    {
        var guessed = 0;
        for (var i = 0; i < 600; i++)
        {
            guessed += logins.Guess("lisa", Office) ? 1 : 0;
            Assert.True(logins.LogIn("mallory", Office));
        }

        Assert.Equal(10, guessed);
        Assert.True(logins.LogIn("lisa", "198.51.100.1"));
    }

    [Fact]
    public void Row_242_ten_thousand_rotating_addresses_slow_one_account_without_locking_its_owner_out()
    {
        Assert.True(logins.LogIn("lisa", Office));
        var guessed = 0;
        for (var i = 0; i < 10_000; i++)
        {
            guessed += logins.Guess("lisa", $"10.{i / 200}.{i % 200}.9") ? 1 : 0;
            logins.Clock.Advance(TimeSpan.FromSeconds(0.36)); // an hour in all
            if (i % 1000 == 0)
                Assert.True(logins.LogIn("lisa", Office));
        }

        Assert.InRange(guessed, 40, 80);

        // At a new place the first try says "later", and the next one is checked, although the attack goes on.
        while (logins.Guess("lisa", "10.99.0.9"))
        {
        }

        Assert.IsType<LoginAnswer.Unavailable>(logins.Enter("lisa", "203.0.113.5").Refusal);
        for (var i = 0; i < 100; i++)
        {
            logins.Clock.Advance(TimeSpan.FromSeconds(0.36));
            logins.Guess("lisa", $"10.{i}.201.9");
        }

        Assert.True(logins.LogIn("lisa", "203.0.113.5"));
        Assert.True(logins.LogIn("lisa", "203.0.113.5"));
    }

    [Fact]
    public void A_place_that_comes_again_to_an_account_under_attack_has_three_guesses_a_day()
    {
        for (var i = 0; i < 60; i++)
            logins.Guess("lisa", $"10.0.{i}.9");
        var guessed = 0;
        for (var i = 0; i < 24 * 60; i++)
        {
            for (var fresh = 0; fresh < 3; fresh++)
                logins.Guess("lisa", $"10.{1 + (i / 80)}.{(i % 80 * 3) + fresh}.9");
            guessed += logins.Guess("lisa", $"2001:db8:{i:x}::1") ? 1 : 0; // as many /48 as one likes are one place
            logins.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.InRange(guessed, 3, 5); // what flows off in a day is one more
    }

    [Fact]
    public void Row_243_one_address_tries_forty_names_and_one_network_a_hundred_and_twenty()
    {
        Assert.Equal(40, Enumerable.Range(0, 100).Count(i => logins.Guess($"user{i}", Office)));
        Assert.Equal(40, Enumerable.Range(0, 100).Count(i => logins.Guess($"user{i}", "192.0.2.2")));
        Assert.Equal(40, Enumerable.Range(0, 100).Count(i => logins.Guess($"user{i}", "192.0.2.3")));
        Assert.Equal(0, Enumerable.Range(0, 100).Count(i => logins.Guess($"user{i}", "192.0.2.4")));
        Assert.False(logins.LogIn("new", Office));
        Assert.True(logins.LogIn("new", "192.0.3.1"));
        Assert.Equal(
            ["logins_slowed address 192.0.2.1", "logins_paused address 192.0.2.1", "logins_slowed network 192.0.2.0/24"],
            logins.Told.Where(static t => !t.Contains("192.0.2.2", StringComparison.Ordinal)).Take(3));
        Assert.Contains("logins_paused network 192.0.2.0/24", logins.Told);
    }

    [Fact]
    public void A_budget_that_is_half_used_or_used_up_is_told_as_a_limit_within_what_strangers_may_write()
    {
        for (var i = 0; i < 100; i++)
            logins.Guess($"user{i}", Office);

        var told = logins.Audit.Events.OfType<LimitEvent>().ToList();
        Assert.Equal([(LimitState.Warned, 20), (LimitState.Exceeded, 40)], told.Select(static e => (e.State, e.Used ?? 0)));
        Assert.All(told, static e => Assert.True(e is { Limit: "logins", Whose: "address 192.0.2.1", Cause: { IsStranger: true, Kind: AuditKind.Server } } && e.Cause.Value.Client.ToString() == Office, e.ToString()));
    }

    [Fact]
    public void One_ipv6_network_counts_by_64_and_by_48()
    {
        Assert.Equal(40, Enumerable.Range(0, 100).Count(i => logins.Guess($"user{i}", $"2001:db8::{i:x}")));
        Assert.Equal(80, Enumerable.Range(1, 200).Count(i => logins.Guess($"user{i}", $"2001:db8:0:{i:x}::1")));
        Assert.False(logins.LogIn("new", "2001:db8:0:ffff::1"));
        Assert.True(logins.LogIn("new", "2001:db8:1::1"));
        Assert.Contains("logins_paused address 2001:db8::/64", logins.Told);
        Assert.Contains("logins_paused network 2001:db8::/48", logins.Told);
    }

    [Fact]
    public void An_ipv4_address_in_ipv6_clothes_is_the_same_place()
    {
        for (var i = 0; i < 10; i++)
            Assert.True(logins.Guess("lisa", i % 2 == 0 ? Office : "::ffff:192.0.2.1"));
        Assert.False(logins.Guess("lisa", Office));
        Assert.False(logins.Guess("lisa", "::ffff:192.0.2.1"));
    }

    [Fact]
    public void Row_244_who_logged_in_from_there_before_keeps_its_lane_whatever_others_do()
    {
        Assert.True(logins.LogIn("lisa", Office));
        for (var i = 0; i < 200; i++)
            logins.Guess($"user{i}", Office);
        for (var i = 0; i < 200; i++)
            logins.Guess("lisa", $"10.0.{i}.1");
        Assert.False(logins.LogIn("bart", Office));
        Assert.True(logins.LogIn("lisa", Office));
        Assert.True(logins.Protection.IsKnown("lisa", "192.0.2.77"));
        Assert.False(logins.Protection.IsKnown("bart", Office));
        Assert.False(logins.Protection.IsKnown("lisa", "198.51.100.1"));
    }

    [Fact]
    public void That_lane_has_a_budget_of_its_own_and_charges_no_other()
    {
        Assert.True(logins.LogIn("lisa", Office));
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => logins.Guess("lisa", Office)));
        Assert.Equal(40, Enumerable.Range(0, 100).Count(i => logins.Guess($"user{i}", Office)));
        Assert.True(logins.LogIn("lisa", "198.51.100.1"));
        logins.Clock.Advance(LoginProtection.DeviceLife);
        Assert.False(logins.Protection.IsKnown("lisa", Office));
    }

    [Fact]
    public void A_success_clears_the_guesses_at_its_own_account_from_its_own_network_once_an_hour()
    {
        var guessed = 0;
        for (var i = 0; i < 100; i++)
        {
            for (var j = 0; j < 5; j++)
                guessed += logins.Guess("lisa", Office) ? 1 : 0;
            logins.LogIn("lisa", "192.0.2.9");
        }

        Assert.InRange(guessed, 15, 20);
    }

    [Fact]
    public void What_was_used_flows_off_evenly()
    {
        Assert.Equal(10, Enumerable.Range(0, 20).Count(_ => logins.Guess("lisa", Office)));
        for (var i = 0; i < 50; i++)
        {
            logins.Clock.Advance(TimeSpan.FromMinutes(6));
            Assert.True(logins.Guess("lisa", Office));
            Assert.False(logins.Guess("lisa", Office));
        }
    }

    [Fact]
    public void A_wrong_password_that_is_known_to_be_wrong_costs_nothing_wherever_it_comes_from()
    {
        for (var i = 0; i < 100; i++)
            Assert.True(logins.LogIn("lisa", $"192.0.2.{i}", password: 7));
        Assert.Equal(10, Enumerable.Range(0, 20).Count(_ => logins.Guess("lisa", "192.0.2.200")) + 1); // the one that is known counted once
        Assert.Equal(99, logins.Protection.Counts.Repeated);
    }

    [Fact]
    public void Each_stage_is_told_once_and_again_only_after_it_was_calm()
    {
        for (var hour = 0; hour < 10; hour++)
        {
            for (var i = 0; i < 10; i++)
                logins.Guess("lisa", Office);
            logins.Clock.Advance(TimeSpan.FromMinutes(36)); // from 10 to 4: never calm
        }

        Assert.Equal(["logins_slowed account lisa from 192.0.2.0/24", "logins_paused account lisa from 192.0.2.0/24"], logins.Told.Where(static t => t.Contains("192.0.2.0", StringComparison.Ordinal)).Take(2));
        var before = logins.Told.Length;
        logins.Clock.Advance(TimeSpan.FromHours(1));
        Assert.True(logins.LogIn("lisa", Office));
        Assert.Contains("logins_resumed account lisa from 192.0.2.0/24", logins.Told.Skip(before));
    }

    [Fact]
    public void Exempt_clients_are_not_counted_and_neither_is_anybody_where_it_is_off()
    {
        var exempt = new ProtectionFixture(ProtectionFixture.Exempting("192.0.2.0/25"));
        Assert.Equal(100, Enumerable.Range(0, 100).Count(_ => exempt.Guess("lisa", Office)));
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => exempt.Guess("lisa", "192.0.2.128")));
        var off = new ProtectionFixture(ProtectionFixture.WithoutDelay with { IsEnabled = false });
        Assert.Equal(100, Enumerable.Range(0, 100).Count(_ => off.Guess("lisa", Office)));
        Assert.Equal(0, off.Protection.Count);
        Assert.Equal(100, Enumerable.Range(0, 100).Count(_ => logins.Guess("lisa", "nowhere")));
    }

    [Fact]
    public void Other_budgets_count_at_once_and_what_was_used_of_the_old_ones_counts_in_them()
    {
        for (var i = 0; i < 4; i++)
            Assert.True(logins.Guess("lisa", Office));
        logins.Protection.Apply(ProtectionFixture.WithoutDelay with { AccountAndNetwork = new RateLimit(5, TimeSpan.FromHours(1)) });
        Assert.True(logins.Guess("lisa", Office));
        Assert.False(logins.Guess("lisa", Office));
        logins.Protection.Apply(ProtectionFixture.WithoutDelay with { AccountAndNetwork = new RateLimit(7, TimeSpan.FromHours(1)) });
        Assert.True(logins.Guess("lisa", Office));
        Assert.True(logins.Guess("lisa", Office));
        Assert.False(logins.Guess("lisa", Office));
        logins.Protection.Apply(ProtectionFixture.WithoutDelay with { IsEnabled = false });
        Assert.True(logins.Guess("lisa", Office));
        logins.Protection.Apply(ProtectionFixture.WithoutDelay with { AccountAndNetwork = new RateLimit(7, TimeSpan.FromHours(1)) });
        Assert.False(logins.Guess("lisa", Office)); // nobody has forgotten
    }

    [Fact]
    public void A_name_that_no_store_knows_is_slowed_like_another_and_never_shown()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.True(logins.Guess("lisa", Office));
            Assert.True(logins.Guess("hunter2", "198.51.100.1", isUser: false));
        }

        var (known, unknown) = (logins.Enter("lisa", Office), logins.Enter("hunter2", "198.51.100.1"));
        Assert.Contains("account lisa from 192.0.2.0/24", Assert.IsType<LoginAnswer.Unavailable>(known.Refusal).Reason, StringComparison.Ordinal);
        Assert.Contains("account (unknown ", Assert.IsType<LoginAnswer.Unavailable>(unknown.Refusal).Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(logins.Audit.Events, static e => e.ToString().Contains("hunter2", StringComparison.Ordinal));
        Assert.DoesNotContain("hunter3", logins.Protection.WhyNot("hunter3", "198.51.100.1") ?? string.Empty, StringComparison.Ordinal);
    }

    [Fact]
    public void What_could_not_be_checked_costs_nothing_and_a_question_without_an_answer_costs_the_place()
    {
        for (var i = 0; i < 100; i++)
            logins.Protection.Settle(logins.Enter("lisa", Office), LoginOutcome.Unchecked);
        Assert.Equal(0, logins.Protection.Count);
        for (var i = 0; i < 40; i++)
            logins.Protection.Settle(logins.Enter(LoginProtection.Nameless, Office), LoginOutcome.Unanswered);
        Assert.IsType<LoginAnswer.Unavailable>(logins.Enter(LoginProtection.Nameless, Office).Refusal);
        for (var i = 0; i < 30; i++)
            logins.Protection.Settle(logins.Enter("lisa", "198.51.100.1"), LoginOutcome.Unanswered);
        Assert.Equal(10, Enumerable.Range(0, 20).Count(_ => logins.Guess("lisa", "198.51.100.1")));
    }

    [Fact]
    public void Many_strangers_take_no_more_than_their_room_and_push_out_nobody_who_is_nearly_used_up()
    {
        var small = new ProtectionFixture(ProtectionFixture.WithoutDelay with { Capacity = 1000, DeviceCapacity = 1000 });
        for (var i = 0; i < 10; i++)
            Assert.True(small.Guess("lisa", Office));
        for (var i = 0; i < 20_000; i++)
        {
            small.Guess(string.Create(CultureInfo.InvariantCulture, $"user{i}"), $"10.{i / 250 % 250}.{i % 250}.{i / 62500}");
            if (i % 10 == 0)
                small.LogIn(string.Create(CultureInfo.InvariantCulture, $"good{i}"), $"10.{i / 250 % 250}.{i % 250}.{i / 62500}");
        }

        Assert.InRange(small.Protection.Count, 4000, 9000);
        Assert.False(small.Guess("lisa", Office));
    }
}
