using System.Collections.Concurrent;
using Postern.Relay.Admin;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Dkim;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Delivery.Dns;

namespace Postern.Relay.Tests.Dkim;

/// <summary>A key from its making to its end.</summary>
public sealed class DkimCommandsTests : IAsyncDisposable
{
    private readonly DkimRig rig = new();
    private readonly ConcurrentDictionary<string, string> zone = new(StringComparer.Ordinal);
    private readonly ScriptedDns dns;

    public DkimCommandsTests() =>
        dns = new ScriptedDns((name, type) => type == DnsType.Txt && zone.TryGetValue(name, out var text) ? ScriptedDns.Txt(text) : ScriptedDns.NoSuchName);

    private DkimDns Resolver => new(DeliveryRig.Options() with { Resolvers = [dns.EndPoint] }, TimeProvider.System);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await dns.DisposeAsync();
        rig.Dispose();
    }

    [Fact]
    public async Task Keys_are_put_to_use_when_DNS_shows_them_and_not_before()
    {
        rig.Commands.Create("Example.ORG", selector: null, algorithm: null, imported: null);
        Assert.Equal([("p20261129r", "rsa", "pending"), ("p20261129e", "ed25519", "pending")], States());

        var refused = Assert.IsType<AdminOutcome.NotFound>(await rig.Commands.ActivateAsync("example.org", Resolver, Cancelled));
        Assert.Contains("p20261129r._domainkey.example.org: there is no TXT record of that name", refused.Message, StringComparison.Ordinal);

        Publish("p20261129r");
        var half = Assert.IsType<AdminOutcome.Done>(await rig.Commands.ActivateAsync("example.org", Resolver, Cancelled));
        Assert.StartsWith("example.org is signed for by p20261129r from now on; not in use, as DNS does not show it: p20261129e._domainkey.example.org:", half.Message, StringComparison.Ordinal);
        Publish("p20261129e");
        Assert.IsType<AdminOutcome.Done>(await rig.Commands.ActivateAsync("example.org", Resolver, Cancelled));
        Assert.IsType<AdminOutcome.AlreadyThere>(await rig.Commands.ActivateAsync("example.org", Resolver, Cancelled));
        Assert.Equal([("p20261129r", "rsa", "active"), ("p20261129e", "ed25519", "active")], States());
    }

    [Fact]
    public async Task A_resolver_that_is_down_is_not_a_record_that_is_missing()
    {
        rig.Commands.Create("example.org", selector: null, DkimAlgorithm.Ed25519, imported: null);
        var resolver = dns.EndPoint;
        await dns.DisposeAsync();
        var patient = new DkimDns(DeliveryRig.Options() with { Resolvers = [resolver], ResolverTimeout = TimeSpan.FromMilliseconds(50) }, TimeProvider.System);
        Assert.IsType<DkimDnsAnswer.Unavailable>(await rig.Keys[0].LookAsync(patient, Cancelled));
    }

    [Fact]
    public async Task A_key_follows_another_which_keeps_its_record_until_it_is_retired()
    {
        await rig.WithKeysAsync();
        rig.Clock.Advance(TimeSpan.FromDays(180));

        Assert.IsType<AdminOutcome.Done>(rig.Commands.Rotate("example.org"));
        Assert.IsType<AdminOutcome.AlreadyThere>(rig.Commands.Rotate("example.org"));
        await rig.Commands.ActivateAsync("example.org", dns: null, Cancelled);
        Assert.Equal([("p20261129r", "rsa", "replaced"), ("p20261129e", "ed25519", "replaced"), ("p20270528r", "rsa", "active"), ("p20270528e", "ed25519", "active")], States());

        var retired = Assert.IsType<AdminOutcome.Done>(rig.Commands.Retire("example.org", selector: null));
        Assert.EndsWith("take out of DNS: p20261129r._domainkey.example.org, p20261129e._domainkey.example.org", retired.Message, StringComparison.Ordinal);
        Assert.IsType<AdminOutcome.NotFound>(rig.Commands.Retire("example.org", selector: null));
        Assert.Equal(2, rig.Keys.Count(static key => key.State == "retired"));
        Assert.Equal(0, rig.Directory.Read(static sql => Dapper.SqlMapper.ExecuteScalar<long>(sql, "select count(*) from dkim_keys where state = 'retired' and private_key is not null")));
    }

    [Fact]
    public async Task A_selector_is_never_used_twice_and_one_that_is_none_is_refused()
    {
        Assert.IsType<AdminOutcome.Done>(rig.Commands.Create("example.org", "Mail", algorithm: null, imported: null));
        Assert.Equal([("mail", "rsa", "pending"), ("mail-ed25519", "ed25519", "pending")], States());
        Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Create("example.org", "mail", DkimAlgorithm.Rsa, imported: null));
        Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Create("example.org", "a b", algorithm: null, imported: null));
        Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Create("example.org", "-x", algorithm: null, imported: null));
        Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Create("not a domain", selector: null, algorithm: null, imported: null));
        Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Create("example.org", selector: null, DkimAlgorithm.Ed25519, DkimKey.Generate(DkimAlgorithm.Rsa)));
        Assert.IsType<AdminOutcome.Done>(rig.Commands.Retire("example.org", "MAIL"));
        Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Create("example.org", "mail", DkimAlgorithm.Rsa, imported: null));
        await rig.WithKeysAsync();
        rig.Commands.Create("example.org", selector: null, algorithm: null, imported: null);
        Assert.Contains("p20261129r2", rig.Keys.Select(static key => key.Selector), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Without_its_keys_a_domain_is_signed_for_no_more()
    {
        await rig.WithKeysAsync();
        Assert.DoesNotContain("no more", Assert.IsType<AdminOutcome.Done>(rig.Commands.Remove("example.org", "p20261129e")).Message, StringComparison.Ordinal);
        Assert.Equal("removed: p20261129r; mail of example.org is signed no more", Assert.IsType<AdminOutcome.Done>(rig.Commands.Remove("example.org", selector: null)).Message);
        Assert.Equal("example.org has no DKIM key; to make one: postern dkim create example.org", Assert.IsType<AdminOutcome.NotFound>(rig.Commands.Remove("example.org", selector: null)).Message);
    }

    private IEnumerable<(string Selector, string Algorithm, string State)> States() => rig.Keys.Select(static key => (key.Selector, key.Algorithm, key.State));

    private void Publish(string selector)
    {
        var key = rig.Keys.Single(key => key.Selector == selector);
        zone[key.RecordName] = key.RecordText;
    }
}
