using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Spool;
using Postern.Smtp.Session;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Who comes first of those that wait for one destination.</summary>
public sealed class JobLineTests
{
    private readonly FakeSpool spool = new();
    private readonly JobLine line = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mail_of_one_sender_goes_in_the_order_in_which_it_came()
    {
        await AddAsync("a", 5);
        Assert.Equal(["a0", "a1", "a2", "a3", "a4"], Take(5));
        Assert.Equal(0, line.Count);
    }

    [Fact]
    public async Task Senders_take_turns_however_much_one_of_them_sends()
    {
        await AddAsync("news", 6);
        await AddAsync("b", 1);
        await AddAsync("c", 2);
        Assert.Equal(["news0", "b0", "c0", "news1", "c1", "news2", "news3", "news4", "news5"], Take(9));
    }

    [Fact]
    public async Task Tenants_take_turns_however_many_senders_one_of_them_has()
    {
        foreach (var sender in (string[])["a", "b", "c"])
            await AddAsync(sender, 1, tenant: "many");
        await AddAsync("x", 2, tenant: "one");
        Assert.Equal(["a0", "x0", "b0", "x1", "c0"], Take(5));
    }

    [Fact]
    public async Task What_is_urgent_overtakes_what_waits_and_what_can_wait_comes_last_but_does_come()
    {
        await AddAsync("slow", 2, priority: "-3");
        await AddAsync("news", 9);
        await AddAsync("reset", 2, priority: "4", login: "web");
        Assert.Equal(["reset0", "reset1", "news0", "news1", "news2", "news3", "news4", "slow0", "news5"], Take(9));
    }

    [Fact]
    public async Task A_stranger_is_not_believed_that_it_is_urgent()
    {
        await AddAsync("news", 2);
        await AddAsync("stranger", 1, priority: "9");
        Assert.Equal(["news0", "stranger0", "news1"], Take(3));
    }

    [Fact]
    public async Task A_sender_who_has_none_waiting_is_behind_nobody_of_his()
    {
        await AddAsync("news", 3);
        Assert.True(line.IsBehindOthers((await JobAsync("news", "news9", null, null, null)).Message.Envelope));
        Assert.False(line.IsBehindOthers((await JobAsync("b", "b9", null, null, null)).Message.Envelope));
        await AddAsync("b", 1);
        Assert.True(line.IsBehindOthers((await JobAsync("b", "b9", null, null, null)).Message.Envelope));
        Assert.Equal(4, line.Drain().Count);
        Assert.False(line.IsBehindOthers((await JobAsync("b", "b9", null, null, null)).Message.Envelope));
    }

    /// <summary>A full destination has its shelf; who has nothing there comes before it.</summary>
    [Fact]
    public async Task One_message_does_not_wait_for_a_newsletter_to_the_same_destination()
    {
        var permits = new SemaphoreSlim(0);
        var transport = new FakeTransport(async (_, message) =>
        {
            await permits.WaitAsync(Ct);
            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        });
        var options = DeliveryRig.Options(new Route("*", "smtp://fake.test")) with { ConnectionsPerDestination = 1, MessagesAtWorkPerDestination = 20 };
        await using var rig = new DeliveryRig(options, transport: transport);
        rig.Scheduler.Start();
        for (var i = 0; i < 200; i++)
            await rig.AddAsync(static e => e with { Login = "news" }, $"n{i}@there.test");
        var reset = await rig.AddAsync(static e => e with { Login = "web" }, "one@there.test");

        // One is under way, one is taken already, one may be next in turn.
        permits.Release(4);
        await rig.Spool.GoneAsync(reset);
        permits.Release(1_000);
    }

    private List<string> Take(int count)
    {
        var taken = new List<string>();
        for (var i = 0; i < count; i++)
        {
            Assert.True(line.TryDequeue(out var job));
            taken.Add(job.Message.Envelope.Recipients[0].LocalPart);
        }

        return taken;
    }

    private async Task AddAsync(string sender, int count, string? tenant = null, string? priority = null, string? login = null)
    {
        for (var i = 0; i < count; i++)
            line.Enqueue(await JobAsync(sender, $"{sender}{i}", tenant, priority, login));
    }

    private async Task<DeliveryJob> JobAsync(string sender, string recipient, string? tenant, string? priority, string? login)
    {
        var id = await spool.AddAsync(TimeProvider.System, DeliveryRig.Content, $"{sender}@here.test", [$"{recipient}@there.test"], e => e with
        {
            Tenant = tenant,
            Login = login,
            Said = priority is null ? e.Said : e.Said with { Parameters = new MailParameters { Others = ParameterValues.None.With("MT-PRIORITY", priority) } },
        });
        return new DeliveryJob(new TrackedMessage(new SpoolClaim(spool.Find(id)!, 1, default), memory: null), Recipients: default, ReadyAt: 0);
    }
}
