using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Relay.Tests.Delivery.Dns;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>Where the TLSA records of a host are looked for, and what each way in which they are not found means (RFC 7672 §2, RFC 7671 §7).</summary>
public sealed class DaneLookupTests
{
    private static readonly byte[] Digest = new byte[32];

    private static Zones Plain() => new Zones().A("mx.example.com", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest);

    private static async Task<(string Answer, IReadOnlyList<(string Name, DnsType Type, bool IsTcp)> Asked)> FindAsync(Zones zones, string host = "mx.example.com", int port = 25)
    {
        await using var dns = zones.Serve();
        var client = new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, ResolvConf.Path, TimeProvider.System), TimeSpan.FromSeconds(20), TimeProvider.System);
        var answer = await new DaneLookup(new DnsCache(client, TimeProvider.System)).FindAsync(host, port, TestContext.Current.CancellationToken);
        return (answer switch
        {
            DaneAnswer.Records(var basis, { IsEmpty: false } usable, _) => $"{usable.Length} at {basis}",
            DaneAnswer.Records(var basis, _, _) => $"unusable at {basis}",
            DaneAnswer.None => "none",
            _ => "failed",
        }, dns.Questions);
    }

    [Fact]
    public async Task Records_that_dnssec_proves_are_found_below_port_and_protocol()
    {
        var (answer, asked) = await FindAsync(Plain());

        Assert.Equal("1 at mx.example.com", answer);
        Assert.Contains(asked, static q => q is { Name: "_25._tcp.mx.example.com", Type: DnsType.Tlsa });
        Assert.Equal("none", (await FindAsync(Plain(), port: 26)).Answer);
    }

    [Fact]
    public async Task An_address_that_is_not_proven_is_not_asked_about()
    {
        var zones = Plain();
        zones.Unsigned.Add("example.com");

        var (answer, asked) = await FindAsync(zones);

        Assert.Equal("none", answer);
        Assert.DoesNotContain(asked, static q => q.Type == DnsType.Tlsa);
    }

    [Fact]
    public async Task Records_that_are_not_proven_are_none()
    {
        var zones = new Zones().A("mx.example.com", "192.0.2.1").Cname("_25._tcp.mx.example.com", "tlsa.example.net").Tlsa("tlsa.example.net", 3, 1, 1, Digest);
        zones.Unsigned.Add("example.net");

        Assert.Equal("none", (await FindAsync(zones)).Answer);
    }

    [Theory]
    [InlineData("_25._tcp.mx.example.com")]
    [InlineData("mx.example.com")]
    public async Task A_look_up_that_fails_is_a_failure_and_never_an_absence(string broken)
    {
        var zones = Plain();
        zones.Broken.Add(broken);

        Assert.Equal("failed", (await FindAsync(zones)).Answer);
    }

    [Fact]
    public async Task A_proven_absence_is_none() => Assert.Equal("none", (await FindAsync(new Zones().A("mx.example.com", "192.0.2.1"))).Answer);

    [Fact]
    public async Task Either_family_of_addresses_proves_the_zone() =>
        Assert.Equal("1 at mx.example.com", (await FindAsync(new Zones().Aaaa("mx.example.com", "2001:db8::1").Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest))).Answer);

    /// <summary>RFC 7672 §2.2.3: records that many services share.</summary>
    [Fact]
    public async Task An_alias_of_the_records_leaves_the_name_of_the_host_as_base()
    {
        var zones = new Zones()
            .A("mx1.example.com", "192.0.2.1").A("mx2.example.com", "192.0.2.2")
            .Cname("_25._tcp.mx1.example.com", "tlsa201._dane.example.com").Cname("_25._tcp.mx2.example.com", "tlsa201._dane.example.com")
            .Tlsa("tlsa201._dane.example.com", 2, 0, 1, Digest);

        Assert.Equal("1 at mx1.example.com", (await FindAsync(zones, "mx1.example.com")).Answer);
        Assert.Equal("1 at mx2.example.com", (await FindAsync(zones, "mx2.example.com")).Answer);
    }

    /// <summary>The zone of RFC 7672 §3.2.2.</summary>
    [Theory]
    [InlineData("mx10.example.com", "1 at mx10.example.com")]
    [InlineData("mx15.example.com", "1 at mx15.example.com")]
    [InlineData("mx20.example.com", "1 at mxbackup.example.net")]
    public async Task A_host_that_is_an_alias_has_its_records_at_the_end_of_it_or_else_at_itself(string host, string expected) =>
        Assert.Equal(expected, (await FindAsync(RfcZone(), host)).Answer);

    [Fact]
    public async Task An_alias_that_is_proven_and_leads_out_of_the_signed_zones_has_records_at_itself()
    {
        var zones = RfcZone().Tlsa("_25._tcp.mx20.example.com", 2, 0, 1, Digest);
        zones.Unsigned.Add("example.net");

        var (answer, asked) = await FindAsync(zones, "mx20.example.com");

        Assert.Equal("1 at mx20.example.com", answer);
        Assert.DoesNotContain(asked, static q => q.Name == "_25._tcp.mxbackup.example.net");
    }

    [Fact]
    public async Task An_alias_that_is_not_proven_has_none_even_where_its_end_is()
    {
        var zones = RfcZone();
        zones.Unsigned.Add("example.com");

        Assert.Equal("none", (await FindAsync(zones, "mx20.example.com")).Answer);
    }

    [Fact]
    public async Task The_failure_of_the_first_name_does_not_lead_to_the_second()
    {
        var zones = RfcZone();
        zones.Broken.Add("_25._tcp.mxbackup.example.com");

        Assert.Equal("failed", (await FindAsync(zones, "mx15.example.com")).Answer);
    }

    [Theory]
    [InlineData(0, 0, 1, 32)]   // PKIX-TA
    [InlineData(1, 1, 1, 32)]   // PKIX-EE
    [InlineData(4, 1, 1, 32)]
    [InlineData(3, 2, 1, 32)]
    [InlineData(3, 1, 3, 32)]
    [InlineData(3, 1, 1, 31)]
    [InlineData(3, 1, 2, 32)]
    [InlineData(3, 0, 0, 0)]
    public async Task What_smtp_does_not_know_or_is_malformed_cannot_be_used(byte usage, byte selector, byte matching, int length)
    {
        var zones = new Zones().A("mx.example.com", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", usage, selector, matching, new byte[length]);

        Assert.Equal("unusable at mx.example.com", (await FindAsync(zones)).Answer);
        Assert.Equal("1 at mx.example.com", (await FindAsync(zones.Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest))).Answer);
    }

    /// <summary>RFC 7671 §9: for each usage and selector only the strongest digest counts, and whole data beside it.</summary>
    [Fact]
    public void Of_two_digests_the_stronger_counts()
    {
        DnsRecord.Tlsa Of(byte usage, byte selector, byte matching, int length) => new("x", TimeSpan.Zero, usage, selector, matching, [.. new byte[length]]);

        var usable = TlsaRecord.Usable([Of(3, 1, 1, 32), Of(3, 1, 2, 64), Of(3, 0, 1, 32), Of(2, 1, 1, 32), Of(2, 0, 2, 63), Of(2, 0, 1, 32), Of(3, 1, 0, 9)]);

        Assert.Equal(["3 1 2", "3 0 1", "2 1 1", "2 0 1", "3 1 0"], usable.Select(static r => r.ToString()[..5]));
    }

    private static Zones RfcZone() => new Zones()
        .Cname("exchange.example.org", "mail.example.org").Cname("mail.example.org", "example.com")
        .Mx("example.com", 10, "mx10.example.com").Mx("example.com", 15, "mx15.example.com").Mx("example.com", 20, "mx20.example.com")
        .A("mx10.example.com", "192.0.2.10").Tlsa("_25._tcp.mx10.example.com", 2, 0, 1, Digest)
        .Cname("mx15.example.com", "mxbackup.example.com").A("mxbackup.example.com", "192.0.2.15").Tlsa("_25._tcp.mx15.example.com", 2, 0, 1, Digest)
        .Cname("mx20.example.com", "mxbackup.example.net").A("mxbackup.example.net", "198.51.100.20").Tlsa("_25._tcp.mxbackup.example.net", 2, 0, 1, Digest);
}
