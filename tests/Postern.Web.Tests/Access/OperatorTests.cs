using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Web.Access;

namespace Postern.Web.Tests.Access;

/// <summary>What changes who may, and what it may not take away.</summary>
public sealed class OperatorTests : IDisposable
{
    private readonly AccessRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task Of_two_owners_who_remove_each_other_at_once_one_stays()
    {
        for (var round = 0; round < 5; round++)
        {
            var (one, two) = ($"one{round}", $"two{round}");
            rig.Add(one);
            rig.Add(two);
            foreach (var earlier in rig.Queries.Operators().Operators.Where(o => o.Name != one && o.Name != two))
                Assert.IsType<AdminOutcome.Done>(rig.Commands.Operators.Remove(earlier.Name));
            using SqliteDirectory here = rig.Open(), there = rig.Open();
            using var barrier = new Barrier(2);

            var outcomes = await Task.WhenAll(
                RunAsync(() => rig.CommandsOn(here).Operators.Remove(two), barrier),
                RunAsync(() => rig.CommandsOn(there).Operators.Remove(one), barrier));

            Assert.Single(outcomes, static outcome => outcome is AdminOutcome.Done);
            Assert.Single(outcomes, static outcome => outcome is AdminOutcome.Invalid { Message: var why } && why.Contains("is the last owner", StringComparison.Ordinal));
            Assert.Single(rig.Queries.Operators().Operators);
        }
    }

    [Fact]
    public void The_last_owner_who_can_sign_in_is_neither_removed_nor_disabled_nor_given_another_role()
    {
        rig.Add("lisa");
        rig.Add("bart", Role.Operator);
        rig.Add("marge");
        // An owner who cannot sign in is none to rely on.
        Assert.IsType<Invited>(rig.Commands.Operators.Reset("marge"));

        foreach (var refused in (AdminOutcome[])
            [rig.Commands.Operators.Remove("lisa"), rig.Commands.Operators.Disable("lisa"), rig.Commands.Operators.SetRole("lisa", "operator", tenant: null)])
            Assert.Contains("lisa is the last owner; make another one first", Assert.IsType<AdminOutcome.Invalid>(refused).Message, StringComparison.Ordinal);
        Assert.IsType<AdminOutcome.Done>(rig.Commands.Operators.SetRole("bart", "owner", tenant: null));
        Assert.IsType<AdminOutcome.Done>(rig.Commands.Operators.Disable("lisa"));
        Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Operators.Disable("bart"));
    }

    [Fact]
    public void A_name_that_is_none_brings_the_nearest() =>
        Assert.Equal("there is no operator 'lsia'; did you mean 'lisa'?", Assert.IsType<AdminOutcome.NotFound>(With("lisa").Disable("lsia")).Message);

    [Fact]
    public void Each_change_is_one_event_with_who_how_from_where_and_what_and_so_is_what_was_refused()
    {
        rig.Add("lisa");
        rig.Add("bart", Role.Viewer);
        var before = rig.Log.Admin.Count;
        var operators = rig.Commands.Operators;
        operators.SetRole("bart", "operator", tenant: null);
        operators.Disable("bart");
        operators.Enable("bart");
        operators.ChangePassword("bart", new Secret("another walnut lantern"));
        operators.Reset("bart");
        operators.Remove("bart");
        operators.Remove("bart");
        operators.Remove("lisa");
        operators.Enable("lisa");

        var events = rig.Log.Admin.Skip(before).ToList();
        Assert.All(events, static e => Assert.Equal(("root", AdminDoor.Console, "192.0.2.1"), (e.Actor, e.Via, e.Client)));
        Assert.Equal(
            [
                "operator role bart: role viewer operator", "operator disable bart: enabled true false", "operator enable bart: enabled false true",
                "operator password bart: password set set", "operator reset bart: password set to be set anew", "operator remove bart: operator bart ",
                "operator remove bart: refused  there is no operator 'bart'", "operator remove lisa: refused  lisa is the last owner; make another one first: postern operator invite --role owner",
            ],
            events.Select(static e => $"{e.Action} {e.Target}: {e.Changes[0].Field} {e.Changes[0].Before} {e.Changes[0].After}"));
    }

    [Fact]
    public void What_is_kept_is_its_owners_alone()
    {
        rig.Add("lisa");
        if (OperatingSystem.IsWindows())
            return;
        foreach (var file in Directory.GetFiles(rig.Folder))
            Assert.Equal((file, UnixFileMode.UserRead | UnixFileMode.UserWrite), (file, File.GetUnixFileMode(file)));
        Assert.Contains(Path.Combine(rig.Folder, "web.db"), Directory.GetFiles(rig.Folder));
    }

    private OperatorCommands With(string name)
    {
        rig.Add(name);
        return rig.Commands.Operators;
    }

    private static Task<AdminOutcome> RunAsync(Func<AdminOutcome> act, Barrier barrier) => Task.Factory.StartNew(
        () =>
        {
            barrier.SignalAndWait(AccessRig.Ct);
            return act();
        },
        AccessRig.Ct,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
