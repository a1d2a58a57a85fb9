using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Admin.Domains;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Relay.Tests.Dkim;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Admin;

/// <summary>A domain as receivers of its mail see it.</summary>
public sealed class DomainReviewTests : IAsyncDisposable
{
    private static readonly IPAddress Own = IPAddress.Parse("9.9.9.9");

    private readonly Dictionary<(string Name, DnsType Type), DnsReply> zone = [];
    private readonly DkimRig rig = new();
    private readonly ScriptedDns dns;

    public DomainReviewTests() =>
        dns = new ScriptedDns((name, type) => zone.TryGetValue((name, type), out var reply) ? reply
            : zone.Keys.Any(key => key.Name == name) ? ScriptedDns.Nothing : ScriptedDns.NoSuchName);

    public async ValueTask DisposeAsync()
    {
        await dns.DisposeAsync();
        rig.Dispose();
    }

    [Fact]
    public async Task A_domain_that_has_all_of_it_has_nothing_to_mend()
    {
        await rig.WithKeysAsync();
        foreach (var key in rig.Keys)
            zone[(key.RecordName, DnsType.Txt)] = ScriptedDns.Txt(key.RecordText);
        zone[("mail.example.org", DnsType.A)] = ScriptedDns.A("9.9.9.9");
        zone[("9.9.9.9.in-addr.arpa", DnsType.Ptr)] = Ptr("mail.example.org");
        zone[("example.org", DnsType.Txt)] = ScriptedDns.Txt("other text", "v=spf1 a:mail.example.org -all");
        zone[("example.org", DnsType.Mx)] = ScriptedDns.Mx((10, "mail.example.org"));
        zone[("_dmarc.example.org", DnsType.Txt)] = ScriptedDns.Txt("v=DMARC1; p=reject");
        zone[("_mta-sts.example.org", DnsType.Txt)] = ScriptedDns.Txt("v=STSv1; id=1;");

        var findings = await LookAsync();

        Assert.All(findings, static f => Assert.Equal((f.Topic, DomainGrade.Good, (string?)null), (f.Topic, f.Grade, f.Todo)));
        Assert.Equal(["PTR", "SPF", "DKIM", "DKIM", "DMARC", "MX", "MTA-STS"], findings.Select(static f => f.Topic));
    }

    [Fact]
    public async Task A_domain_that_has_nothing_is_told_what_to_publish_in_the_order_of_what_hurts()
    {
        zone[("mail.example.org", DnsType.A)] = ScriptedDns.A("9.9.9.9");

        var findings = await LookAsync();

        Assert.Equal(["PTR Mend", "SPF Mend", "DKIM Mend", "DMARC Mend", "MX Mend", "MTA-STS Hint"], findings.Select(static f => $"{f.Topic} {f.Grade}"));
        Assert.Contains("(PTR) to mail.example.org", findings[0].Todo, StringComparison.Ordinal);
        Assert.Equal("Publish a TXT record at example.org: v=spf1 ip4:9.9.9.9 ~all", findings[1].Todo);
        Assert.Equal("postern dkim create example.org", findings[2].Todo);
        Assert.StartsWith("Publish a TXT record at _dmarc.example.org: v=DMARC1; p=none;", findings[3].Todo, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_resolver_that_fails_is_not_a_record_that_is_missing()
    {
        zone[("mail.example.org", DnsType.A)] = ScriptedDns.A("9.9.9.9");
        foreach (var (name, type) in new[] { ("9.9.9.9.in-addr.arpa", DnsType.Ptr), ("example.org", DnsType.Txt), ("_dmarc.example.org", DnsType.Txt), ("example.org", DnsType.Mx), ("_mta-sts.example.org", DnsType.Txt) })
            zone[(name, type)] = ScriptedDns.ServerFailure;

        var findings = await LookAsync();

        Assert.Equal(["PTR", "SPF", "DMARC", "MX", "MTA-STS"], findings.Where(static f => f.Grade == DomainGrade.Unknown).Select(static f => f.Topic));
    }

    [Fact]
    public async Task Names_that_do_not_lead_back_and_policies_that_do_nothing_are_told()
    {
        zone[("mail.example.org", DnsType.A)] = ScriptedDns.A("9.9.9.9");
        zone[("9.9.9.9.in-addr.arpa", DnsType.Ptr)] = Ptr("host.example.net");
        zone[("_dmarc.example.org", DnsType.Txt)] = ScriptedDns.Txt("v=DMARC1; p=none");
        zone[("example.org", DnsType.Mx)] = ScriptedDns.Mx((0, ""));
        zone[("_mta-sts.example.org", DnsType.Txt)] = ScriptedDns.Txt("v=STSv1;");
        zone[("example.org", DnsType.Txt)] = ScriptedDns.Txt("v=spf1 +all");

        var findings = await LookAsync();

        Assert.Equal(
            [
                "9.9.9.9 is host.example.net, which does not lead back to it", "'+all' of example.org lets the whole world send", "its mail is not signed: no key",
                "_dmarc.example.org has p=none: forgeries are let through", "it says that it takes no mail (null MX)", "_mta-sts.example.org has no id: senders pass over it",
            ],
            findings.Select(static f => f.Words));
    }

    [Fact]
    public async Task Where_another_server_sends_it_its_operator_knows_what_SPF_must_have()
    {
        zone[("example.org", DnsType.Txt)] = ScriptedDns.Txt("v=spf1 include:spf.example.net ~all");
        zone[("spf.example.net", DnsType.Txt)] = ScriptedDns.Txt("v=spf1 ip4:9.9.9.0/24 -all");
        var findings = await LookAsync("smtp://relay.example.net:587");
        Assert.DoesNotContain(findings, static f => f.Topic == "PTR");
        Assert.Equal("See that it includes what the operator of smtp://relay.example.net:587 says.", findings[0].Todo);
    }

    [Theory]
    [InlineData("v=spf1 ip4:9.9.9.9 -all", "Pass")]
    [InlineData("v=spf1 ip4:9.9.9.1/24 -all", "Pass")]
    [InlineData("V=SPF1 IP6:2001:DB8::/32 ?A ~ALL", "SoftFail")]
    [InlineData("v=spf1 a mx -all", "Fail")]
    [InlineData("v=spf1 a:host.example.org -all", "Pass")]
    [InlineData("v=spf1 a:near.example.org/24 -all", "Pass")]
    [InlineData("v=spf1 mx:example.net -all", "Pass")]
    [InlineData("v=spf1 include:pass.example.net -all", "Pass")]
    [InlineData("v=spf1 include:fail.example.net ?all", "Neutral")]
    [InlineData("v=spf1 include:none.example.net -all", "Broken")]
    [InlineData("v=spf1 redirect=pass.example.net", "Pass")]
    [InlineData("v=spf1 redirect=none.example.net", "Broken")]
    [InlineData("v=spf1 include:loop.example.net -all", "Broken")]
    [InlineData("v=spf1 ipv4:9.9.9.9 -all", "Broken")]
    [InlineData("v=spf1 ip4:nonsense -all", "Broken")]
    [InlineData("v=spf1 exists:%{i}.example.net exp=x.example.net -all", "Fail")]
    [InlineData("v=spf1", "Neutral")]
    [InlineData("v=spf10 -all", "None")]
    [InlineData("v=spf1 a:down.example.org -all", "Unknown")]
    public async Task A_record_says_what_RFC_7208_has_it_say(string record, string word)
    {
        zone[("example.org", DnsType.Txt)] = ScriptedDns.Txt(record);
        zone[("host.example.org", DnsType.A)] = ScriptedDns.A("9.9.9.9");
        zone[("near.example.org", DnsType.A)] = ScriptedDns.A("9.9.9.200");
        zone[("down.example.org", DnsType.A)] = ScriptedDns.ServerFailure;
        zone[("example.net", DnsType.Mx)] = ScriptedDns.Mx((1, "host.example.org"));
        zone[("pass.example.net", DnsType.Txt)] = ScriptedDns.Txt("v=spf1 ip4:9.9.9.9 -all");
        zone[("fail.example.net", DnsType.Txt)] = ScriptedDns.Txt("v=spf1 -all");
        zone[("loop.example.net", DnsType.Txt)] = ScriptedDns.Txt("v=spf1 include:loop.example.net -all");
        var resolver = new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, "/none", TimeProvider.System), TimeSpan.FromSeconds(20), TimeProvider.System);

        var result = await new SpfCheck((name, type) => resolver.QueryAsync(name, type, TestContext.Current.CancellationToken), Own).CheckAsync("example.org");

        Assert.Equal(word, result.Word.ToString());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.1")]
    public async Task An_address_that_nobody_outside_sees_is_in_no_advice_about_spf(string address)
    {
        zone[("mail.example.org", DnsType.A)] = ScriptedDns.A(address);
        var without = await LookAsync();
        zone[("example.org", DnsType.Txt)] = ScriptedDns.Txt($"v=spf1 ip4:{address} -all");
        var with = await LookAsync();

        Assert.Equal(("PTR Hint", "SPF Mend", "SPF Hint"), ($"{with[0].Topic} {with[0].Grade}", $"{without[1].Topic} {without[1].Grade}", $"{with[1].Topic} {with[1].Grade}"));
        Assert.DoesNotContain($"ip4:{address}", without[1].Todo, StringComparison.Ordinal);
        Assert.Contains("--address", with[1].Todo, StringComparison.Ordinal);
    }

    private static DnsReply Ptr(string name) => new(0, [("", DnsType.Ptr, ScriptedDns.Name(name))]);

    private async Task<ImmutableArray<DomainFinding>> LookAsync(string? via = null)
    {
        var options = DeliveryRig.Options() with { Hostname = Domain.Parse("mail.example.org"), Resolvers = [dns.EndPoint], ResolverTimeout = TimeSpan.FromSeconds(20) };
        return await new DomainReview(options, TimeProvider.System).LookAsync("example.org", rig.Keys, [], via, TestContext.Current.CancellationToken);
    }
}
