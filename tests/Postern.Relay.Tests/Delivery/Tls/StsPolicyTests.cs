using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls.Sts;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>The record and the policy of MTA-STS as they are written (RFC 8461 §3).</summary>
public sealed class StsPolicyTests
{
    private static string? IdOf(params string[] texts) => StsRecord.IdOf(texts.Select(static t => new DnsRecord.Txt("x", TimeSpan.Zero, t)));

    [Theory]
    [InlineData("v=STSv1; id=20160831085700Z;", "20160831085700Z")]
    [InlineData("v=STSv1;id=1", "1")]
    [InlineData("v=STSv1 ; id=1 ; later=2", "1")]
    [InlineData("v=STSv1; ext=x; id=a1;", "a1")]
    [InlineData("v=STSv1;", null)]
    [InlineData("v=STSv1; id=;", null)]
    [InlineData("v=STSv1; id=a-b;", null)]
    [InlineData("v=STSv1; id=123456789012345678901234567890123;", null)]
    [InlineData("v=STSv2; id=1;", null)]
    [InlineData("id=1; v=STSv1;", null)]
    [InlineData("V=STSv1; id=1;", null)]
    public void A_record_announces_a_policy_by_its_id(string text, string? id) => Assert.Equal(id, IdOf(text));

    [Fact]
    public void Of_several_records_exactly_one_announces_a_policy()
    {
        Assert.Equal("1", IdOf("v=spf1 -all", "v=STSv1; id=1;"));
        Assert.Null(IdOf("v=STSv1; id=1;", "v=STSv1; id=1;"));
        Assert.Null(IdOf());
    }

    /// <summary>The policy of RFC 8461 §3.2.</summary>
    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    public void The_policy_of_the_rfc_is_read(string end)
    {
        var (policy, _) = StsPolicy.Parse(string.Join(end, "version: STSv1", "mode: enforce", "mx: mail.example.com", "mx: *.example.net", "mx: backupmx.example.com", "max_age: 604800", ""));

        Assert.Equal((StsMode.Enforce, TimeSpan.FromDays(7)), (policy!.Mode, policy.MaxAge));
        Assert.Equal(["mail.example.com", "*.example.net", "backupmx.example.com"], policy.Mx);
    }

    /// <summary>RFC 8461 §4.1.</summary>
    [Theory]
    [InlineData("mail.example.com", true)]
    [InlineData("MAIL.example.com", true)]
    [InlineData("mx1.example.net", true)]
    [InlineData("a.mx1.example.net", false)]
    [InlineData("example.net", false)]
    [InlineData("mail.example.org", false)]
    public void A_pattern_stands_for_one_label(string host, bool isAllowed) =>
        Assert.Equal(isAllowed, new StsPolicy(StsMode.Enforce, TimeSpan.FromDays(1), ["mail.example.com", "*.example.net"]).Allows(host));

    [Fact]
    public void Of_a_key_that_comes_twice_the_first_counts_and_unknown_ones_are_passed_over()
    {
        var (policy, _) = StsPolicy.Parse("version: STSv1\nmode:testing\nmode: enforce\nfuture: 1\nmx:  a.example \nmax_age: 60\nmax_age: 99999999\n");

        Assert.Equal((StsMode.Testing, TimeSpan.FromMinutes(1)), (policy!.Mode, policy.MaxAge));
    }

    [Theory]
    [InlineData("mode: enforce\nmx: a.example\nmax_age: 60", "no 'version: STSv1'")]
    [InlineData("version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 60", "no 'version: STSv1'")]
    [InlineData("version: STSv1\nmode: strict\nmx: a.example\nmax_age: 60", "no 'mode' of enforce, testing or none")]
    [InlineData("version: STSv1\nmode: enforce\nmx: a.example", "no 'max_age' in seconds")]
    [InlineData("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1", "no 'max_age' in seconds")]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: 60", "no 'mx'")]
    [InlineData("version: STSv1\nmode: enforce\nmx: a*.example\nmax_age: 60", "'mx: a*.example' is no host name")]
    [InlineData("<html>", "a line without ':'")]
    public void What_is_no_policy_is_said(string text, string problem) => Assert.Equal((null, problem), StsPolicy.Parse(text));

    [Fact]
    public void A_policy_has_five_hundred_hosts_at_the_most()
    {
        static string With(int hosts) => $"version: STSv1\nmode: enforce\nmax_age: 60\n{string.Concat(Enumerable.Range(0, hosts).Select(static i => $"mx: mx{i}.example\n"))}";

        Assert.Equal(500, StsPolicy.Parse(With(500)).Policy!.Mx.Length);
        Assert.Equal((null, "more than 500 'mx'"), StsPolicy.Parse(With(501)));
    }

    [Fact]
    public void A_policy_that_is_taken_back_needs_no_hosts_and_none_lasts_longer_than_a_year()
    {
        Assert.Equal(StsMode.None, StsPolicy.Parse("version: STSv1\nmode: none\nmax_age: 60").Policy!.Mode);
        Assert.Equal(TimeSpan.FromSeconds(31557600), StsPolicy.Parse("version: STSv1\nmode: none\nmax_age: 999999999").Policy!.MaxAge);
    }
}
