using System.Collections.Concurrent;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Dkim;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Delivery.Dns;

namespace Postern.Relay.Tests.Dkim;

/// <summary>Keys that follow each other by the calendar.</summary>
public sealed class DkimRotationTests : IAsyncDisposable
{
    private static readonly DkimOptions Calendar = new() { Rotate = TimeSpan.FromDays(180) };

    private readonly DkimRig rig = new();
    private readonly RecordingAudit audit = new();
    private readonly ConcurrentDictionary<string, string> zone = new(StringComparer.Ordinal);
    private readonly ScriptedDns dns;
    private readonly DkimRotation rotation;

    public DkimRotationTests()
    {
        dns = new ScriptedDns((name, type) => type == DnsType.Txt && zone.TryGetValue(name, out var text) ? ScriptedDns.Txt(text) : ScriptedDns.NoSuchName);
        rotation = new DkimRotation(rig.Directory, audit, rig.Clock, Calendar, DeliveryRig.Options() with { Resolvers = [dns.EndPoint] });
    }

    public async ValueTask DisposeAsync()
    {
        await rotation.DisposeAsync();
        await dns.DisposeAsync();
        rig.Dispose();
    }

    [Fact]
    public async Task The_next_keys_are_made_in_time_announced_put_to_use_on_their_day_and_the_old_ones_go()
    {
        await rig.WithKeysAsync();
        await OnDayAsync(165);
        Assert.Empty(Words());

        await OnDayAsync(166);
        Assert.Equal(["dkim_publish", "dkim_publish"], Words());
        var publish = audit.Events.OfType<ServerEvent>().First().Detail;
        Assert.StartsWith("example.org has a new key, in use from 2027-05-28 on if DNS shows it: p20270514r._domainkey.example.org TXT v=DKIM1; k=rsa; p=", publish, StringComparison.Ordinal);
        PublishAll();
        await OnDayAsync(179);
        Assert.Equal("active active pending pending", States());

        await OnDayAsync(180);
        Assert.Equal("replaced replaced active active", States());
        Assert.Equal("dkim_activated", Words()[^1]);
        await OnDayAsync(186);
        Assert.Equal("replaced replaced active active", States());
        await OnDayAsync(187);
        Assert.Equal("retired retired active active", States());
        Assert.Equal(["dkim_retired", "dkim_retired"], Words()[^2..]);
    }

    [Fact]
    public async Task Until_DNS_shows_the_next_keys_the_old_ones_sign_and_the_log_reminds_once_a_day()
    {
        await rig.WithKeysAsync();
        await OnDayAsync(166);
        await OnDayAsync(180);
        await rotation.LookAsync(TestContext.Current.CancellationToken);
        await OnDayAsync(181);

        Assert.Equal("active active pending pending", States());
        Assert.Equal(["dkim_publish", "dkim_publish", "dkim_publish", "dkim_publish"], Words());
        Assert.StartsWith("the old key of example.org signs on: example.org: nothing was put to use; not in use, as DNS does not show it: p20270514r._domainkey.example.org: there is no TXT record", audit.Events.OfType<ServerEvent>().Last().Detail, StringComparison.Ordinal);

        PublishAll();
        await OnDayAsync(182);
        Assert.Equal("replaced replaced active active", States());
    }

    [Fact]
    public async Task A_key_that_was_made_by_hand_waits_for_a_hand_and_without_a_period_nothing_is_done()
    {
        await rig.WithKeysAsync();
        rig.Commands.Create("example.com", "mail", DkimAlgorithm.Rsa, imported: null);
        PublishAll();
        await OnDayAsync(100);
        Assert.Equal("pending", rig.Keys.Single(static key => key.Domain == "example.com").State);

        rotation.Apply(new DkimOptions(), DeliveryRig.Options());
        await OnDayAsync(400);
        Assert.Empty(Words());
    }

    private async Task OnDayAsync(int day)
    {
        rig.Clock.Advance(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero).AddDays(day) - rig.Clock.GetUtcNow());
        await rotation.LookAsync(TestContext.Current.CancellationToken);
    }

    private string States() => string.Join(' ', rig.Keys.Select(static key => key.State));

    private List<string> Words() => [.. audit.Events.OfType<ServerEvent>().Select(static e => e.Event)];

    private void PublishAll()
    {
        foreach (var key in rig.Keys)
            zone[key.RecordName] = key.RecordText;
    }
}
