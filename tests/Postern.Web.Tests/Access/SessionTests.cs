using System.Text;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Testing;
using Postern.Web.Access;

namespace Postern.Web.Tests.Access;

/// <summary>What a cookie is worth, and when it is worth nothing.</summary>
public sealed class SessionTests : IDisposable
{
    private readonly AccessRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task What_a_stranger_has_put_into_the_browser_is_worth_nothing_after_the_sign_in()
    {
        var lisa = rig.Add("lisa");
        var planted = SessionCookie.Generate().Reveal();

        var cookie = await rig.SignInAsync(lisa, cookie: planted);

        Assert.NotEqual(planted, cookie);
        Assert.Null(await rig.FindAsync(planted));
        Assert.NotNull(await rig.FindAsync(cookie));
    }

    [Fact]
    public async Task To_sign_in_again_ends_the_session_before_it_and_proves_it_anew()
    {
        var lisa = rig.Add("lisa");
        var first = await rig.SignInAsync(lisa);
        rig.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.FromHours(1), rig.Clock.GetUtcNow() - (await rig.FindAsync(first))!.ProvedAt);

        var second = await rig.SignInAsync(lisa, cookie: first);

        Assert.Null(await rig.FindAsync(first));
        Assert.Equal(rig.Clock.GetUtcNow(), (await rig.FindAsync(second))!.ProvedAt);
    }

    [Fact]
    public async Task A_cookie_that_is_shown_again_after_the_sign_out_is_nobodys()
    {
        var cookie = await rig.SignInAsync(rig.Add("lisa"));
        Assert.True(rig.Sessions.SignOut(cookie));
        Assert.Null(await rig.FindAsync(cookie));
        Assert.False(rig.Sessions.SignOut(cookie));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\r\n")]
    [InlineData("x\r\nrole=owner\r\n")]
    [InlineData("' or 1=1 --")]
    [InlineData("../../etc/passwd")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    public async Task What_was_never_given_out_is_nobodys(string cookie)
    {
        var real = await rig.SignInAsync(rig.Add("lisa"));
        foreach (var shown in (string[])[cookie, $"{cookie}x{real}", real + cookie + "x", $"{real[..20]}\r\n{real[22..]}", real + "\r\n", real + " ", real[..^1], real.ToUpperInvariant()])
        {
            Assert.Null(await rig.FindAsync(shown));
            Assert.False(rig.Sessions.SignOut(shown));
        }

        Assert.NotNull(await rig.FindAsync(real));
    }

    [Fact]
    public async Task It_ends_after_twelve_idle_hours_and_after_seven_days_in_any_case()
    {
        var lisa = rig.Add("lisa");
        var (idle, busy) = (await rig.SignInAsync(lisa), await rig.SignInAsync(lisa));
        for (var hours = 0; hours < 7 * 24; hours += 11)
        {
            Assert.NotNull(await rig.FindAsync(busy));
            rig.Clock.Advance(TimeSpan.FromHours(11));
            if (hours == 11)
                Assert.Null(await rig.FindAsync(idle));
        }

        Assert.Null(await rig.FindAsync(busy));
        Assert.Empty(rig.Sessions.List(name: null));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("role")]
    [InlineData("disable")]
    [InlineData("disable and enable")]
    [InlineData("remove")]
    [InlineData("reset")]
    public async Task Every_session_ends_at_once_whichever_process_changes_the_operator(string change)
    {
        var (lisa, bart) = (rig.Add("lisa"), rig.Add("bart"));
        var (one, two, others) = (await rig.SignInAsync(lisa), await rig.SignInAsync(lisa), await rig.SignInAsync(bart));
        Assert.NotNull(await rig.FindAsync(one));
        using (var elsewhere = rig.Open())
        {
            var operators = rig.CommandsOn(elsewhere).Operators;
            foreach (var word in change.Split(" and "))
            {
                var outcome = word switch
                {
                    "password" => operators.ChangePassword("lisa", new Secret("another walnut lantern")),
                    "role" => operators.SetRole("lisa", "viewer", tenant: null),
                    "disable" => operators.Disable("lisa"),
                    "enable" => operators.Enable("lisa"),
                    "remove" => operators.Remove("lisa"),
                    _ => operators.Reset("lisa"),
                };
                Assert.True(outcome is AdminOutcome.Done or Invited, outcome.Message);
            }
        }

        Assert.Null(await rig.FindAsync(one));
        Assert.Null(await rig.FindAsync(two));
        Assert.NotNull(await rig.FindAsync(others));
        Assert.Equal("bart", Assert.Single(rig.Sessions.List(name: null)).Operator);
    }

    [Fact]
    public async Task Sessions_are_listed_and_ended_by_number_and_that_is_written_down()
    {
        var (lisa, bart) = (rig.Add("lisa"), rig.Add("bart"));
        var (one, two, others) = (await rig.SignInAsync(lisa), await rig.SignInAsync(lisa), await rig.SignInAsync(bart));
        var list = rig.Sessions.List("lisa");
        Assert.Equal([("lisa", "192.0.2.7", "Browser/1"), ("lisa", "192.0.2.7", "Browser/1")], list.Select(static one => (one.Operator, one.Client, one.Agent)));
        var by = new Operator("bart", AdminDoor.Console, "192.0.2.7");

        Assert.Equal(0, rig.Sessions.End("bart", list[1].Id, by));
        Assert.Equal(1, rig.Sessions.End("lisa", list[1].Id, by));
        Assert.Null(await rig.FindAsync(one));
        Assert.NotNull(await rig.FindAsync(two));
        Assert.Equal(1, rig.Sessions.End("lisa", id: null, by));
        Assert.Null(await rig.FindAsync(two));
        Assert.NotNull(await rig.FindAsync(others));
        Assert.Equal(("bart", "operator session end", "lisa", "session"), (rig.Log.Admin[^1].Actor, rig.Log.Admin[^1].Action, rig.Log.Admin[^1].Target, rig.Log.Admin[^1].Changes[0].Field));
    }

    [Fact]
    public async Task A_person_has_thirty_two_sessions_and_the_one_used_longest_ago_gives_way()
    {
        var lisa = rig.Add("lisa");
        var cookies = new List<string>();
        for (var i = 0; i < 33; i++)
            cookies.Add(await rig.SignInAsync(lisa));
        Assert.Null(await rig.FindAsync(cookies[0]));
        Assert.NotNull(await rig.FindAsync(cookies[1]));
        Assert.Equal(32, rig.Sessions.List("lisa").Length);
    }

    [Fact]
    public async Task What_is_kept_is_a_digest()
    {
        var cookie = await rig.SignInAsync(rig.Add("lisa"));
        rig.Reopen(static () => { });
        foreach (var file in Directory.GetFiles(rig.Folder))
            Assert.Null(SecretTrace.Find(await File.ReadAllBytesAsync(file, AccessRig.Ct), cookie, AccessRig.Password));
        Assert.NotNull(await rig.FindAsync(cookie));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_that_is_lost_or_damaged_signs_people_out_and_takes_nothing_else(bool isDamaged)
    {
        var lisa = rig.Add("lisa");
        var cookie = await rig.SignInAsync(lisa);
        rig.Reopen(() =>
        {
            var file = Path.Combine(rig.Folder, "web.db");
            if (isDamaged)
                File.WriteAllBytes(file, Encoding.ASCII.GetBytes(new string('x', 8192)));
            else
                File.Delete(file);
        });

        Assert.Null(await rig.FindAsync(cookie));
        Assert.Equal(isDamaged, rig.Log.Events.OfType<ServerEvent>().Any(static e => e.Event == "web_state_begun_anew"));
        Assert.NotNull(rig.Sessions.Begin(rig.Directory.Read(sql => OperatorRow.Find(sql, "lisa"))!, AccessRig.Home, agent: null, before: null));
    }

    [Fact]
    public void The_cookie_is_out_of_reach_of_scripts_other_sites_and_other_hosts()
    {
        var options = SessionCookie.Options(isTls: true, DateTimeOffset.UnixEpoch);
        Assert.Equal((true, true, Microsoft.AspNetCore.Http.SameSiteMode.Strict, "/", null), (options.HttpOnly, options.Secure, options.SameSite, options.Path, options.Domain));
        Assert.Equal(("__Host-postern", "postern-local"), (SessionCookie.NameOf(isTls: true), SessionCookie.NameOf(isTls: false)));
    }
}
