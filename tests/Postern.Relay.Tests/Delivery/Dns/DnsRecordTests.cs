using System.Net;
using Postern.Relay.Delivery.Dns;

namespace Postern.Relay.Tests.Delivery.Dns;

/// <summary>The records beside those of mail exchangers: what they are read as, and what is no record.</summary>
public sealed class DnsRecordTests
{
    private static async Task<DnsAnswer> AskAsync(DnsType type, DnsReply reply, string name = "asked.test")
    {
        await using var dns = new ScriptedDns((_, _) => reply);
        var client = new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, ResolvConf.Path, TimeProvider.System), TimeSpan.FromSeconds(10), TimeProvider.System);
        return await client.QueryAsync(name, type, TestContext.Current.CancellationToken);
    }

    private static DnsReply One(DnsType type, params byte[] data) => new(0, [("", type, data)]);

    [Fact]
    public async Task The_strings_of_a_text_are_joined_without_anything_between()
    {
        var key = new string('k', 300);
        var answer = await AskAsync(DnsType.Txt, ScriptedDns.Txt("v=STSv1; id=1;", key, "\u00e4"));

        Assert.Equal(["v=STSv1; id=1;", key, "\u00e4"], answer.Records.OfType<DnsRecord.Txt>().Select(static r => r.Text));
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 2, 97 })]
    [InlineData(new byte[] { 1, 97, 1 })]
    public async Task Text_that_does_not_fill_its_length_is_no_answer(byte[] data) =>
        Assert.Equal(DnsStatus.Unavailable, (await AskAsync(DnsType.Txt, One(DnsType.Txt, data))).Status);

    [Fact]
    public async Task A_tlsa_record_is_read_as_it_was_published()
    {
        var record = Assert.IsType<DnsRecord.Tlsa>(Assert.Single((await AskAsync(DnsType.Tlsa, ScriptedDns.Tlsa((3, 1, 1, [0xAB, 0xCD])))).Records));
        Assert.Equal((3, 1, 1, "ABCD"), (record.Usage, record.Selector, record.Matching, Convert.ToHexString([.. record.Data])));

        Assert.Equal(DnsStatus.Unavailable, (await AskAsync(DnsType.Tlsa, One(DnsType.Tlsa, 3, 1))).Status);
    }

    [Fact]
    public async Task Services_and_the_names_of_addresses_are_read()
    {
        var service = Assert.IsType<DnsRecord.Srv>(Assert.Single((await AskAsync(DnsType.Srv, One(DnsType.Srv, [0, 10, 0, 5, 2, 75, .. ScriptedDns.Name("smtp.test")]))).Records));
        Assert.Equal((10, 5, 587, "smtp.test"), (service.Priority, service.Weight, service.Port, service.Target));

        var name = Assert.IsType<DnsRecord.Ptr>(Assert.Single((await AskAsync(DnsType.Ptr, One(DnsType.Ptr, ScriptedDns.Name("out1.test")), "10.2.0.192.in-addr.arpa")).Records));
        Assert.Equal("out1.test", name.Target);
    }

    [Fact]
    public async Task The_name_at_the_end_of_the_aliases_is_told_also_where_there_are_no_records()
    {
        var chain = new DnsReply(0, [("", DnsType.Cname, ScriptedDns.Name("mail.example.org")), ("mail.example.org", DnsType.Cname, ScriptedDns.Name("example.com"))]);

        var found = await AskAsync(DnsType.A, chain with { Records = [.. chain.Records, ("example.com", DnsType.A, IPAddress.Parse("192.0.2.1").GetAddressBytes())] });

        Assert.Equal((DnsStatus.Found, "example.com"), (found.Status, found.CanonicalName));
        await using var dns = new ScriptedDns((name, _) => name == "example.com" ? ScriptedDns.Nothing : chain);
        var none = await new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, ResolvConf.Path, TimeProvider.System), TimeSpan.FromSeconds(20), TimeProvider.System)
            .QueryAsync("asked.test", DnsType.A, TestContext.Current.CancellationToken);
        Assert.Equal((DnsStatus.NoData, "example.com"), (none.Status, none.CanonicalName));
        Assert.Equal(["asked.test", "example.com"], dns.Questions.Select(static q => q.Name));
    }

    [Fact]
    public async Task Who_asks_for_an_alias_gets_the_alias()
    {
        var answer = await AskAsync(DnsType.Cname, One(DnsType.Cname, ScriptedDns.Name("real.test")));

        Assert.Equal(("real.test", "asked.test"), (Assert.IsType<DnsRecord.Cname>(Assert.Single(answer.Records)).Target, answer.CanonicalName));
    }
}
