using System.Net;
using Postern.Relay.Accounts.Credentials;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Accounts;

public sealed class CredentialLimitsTests
{
    private static readonly LoginOrigin Home = new("submission", "192.0.2.7");

    [Fact]
    public void What_is_not_limited_is_good_everywhere()
    {
        Assert.True(CredentialLimits.None.IsNone);
        Assert.Null(CredentialLimits.None.WhyNot(Home));
        Assert.Null(CredentialLimits.None.WhyNot(default));
        Assert.True(CredentialLimits.None.MaySendAs(Mailbox.Parse("anybody@example.net")));
    }

    [Theory]
    [InlineData("submission", null)]
    [InlineData("SUBMISSION", null)]
    [InlineData("smtps", "may be used on submission and printers, and not on smtps")]
    [InlineData(null, "may be used on submission and printers, and nobody says which listener this is")]
    public void A_listener_is_meant_by_its_name_in_any_case(string? listener, string? objection) =>
        Assert.Equal(objection, new CredentialLimits { Listeners = ["submission", "printers"] }.WhyNot(Home with { Listener = listener }));

    [Theory]
    [InlineData("192.0.2.7", null)]
    [InlineData("::ffff:192.0.2.7", null)]
    [InlineData("192.0.3.7", "may be used from 192.0.2.0/24 and 2001:db8::/32, and not from 192.0.3.7")]
    [InlineData("::ffff:192.0.3.7", "may be used from 192.0.2.0/24 and 2001:db8::/32, and not from 192.0.3.7")]
    [InlineData("2001:db8::1", null)]
    [InlineData("2001:db9::1", "may be used from 192.0.2.0/24 and 2001:db8::/32, and not from 2001:db9::1")]
    [InlineData(null, "is limited to networks, and the client has no address")]
    [InlineData("no address", "is limited to networks, and the client has no address")]
    public void A_client_is_in_a_network_whatever_the_spelling_of_its_address(string? client, string? objection)
    {
        var limits = new CredentialLimits { Networks = [IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("2001:db8::/32")] };

        Assert.Equal(objection, limits.WhyNot(Home with { Peer = client }));
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7/32")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7/32")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("fe80::1", "fe80::/64")]
    public void A_device_is_an_IPv4_address_or_an_IPv6_64(string client, string device) =>
        Assert.Equal(device, CredentialLimits.DeviceOf(IPAddress.Parse(client)).ToString());

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", null)]
    [InlineData("192.0.2.7", "::ffff:192.0.2.7", null)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", null)]
    [InlineData("192.0.2.7", "192.0.2.8", "belongs to 192.0.2.7/32, where it was used first, and not to 192.0.2.8")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", null)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", "belongs to 2001:db8:1:2::/64, where it was used first, and not to 2001:db8:1:3::1")]
    [InlineData("192.0.2.7", "2001:db8::1", "belongs to 192.0.2.7/32, where it was used first, and not to 2001:db8::1")]
    [InlineData("192.0.2.7", null, "is limited to networks, and the client has no address")]
    public void What_belongs_to_its_first_network_is_good_there_alone(string first, string? later, string? objection)
    {
        var limits = new CredentialLimits { IsFirstNetwork = true };
        Assert.True(limits.AwaitsFirstUse);
        Assert.Null(limits.WhyNot(Home with { Peer = first }));

        Assert.Equal(objection, (limits with { Bound = CredentialLimits.DeviceOf(IPAddress.Parse(first)) }).WhyNot(Home with { Peer = later }));
    }

    [Fact]
    public void A_first_network_lies_within_the_networks_that_are_named()
    {
        var limits = new CredentialLimits { IsFirstNetwork = true, Networks = [IPNetwork.Parse("198.51.100.0/24")] };

        Assert.Equal("may be used from 198.51.100.0/24, and not from 192.0.2.7", limits.WhyNot(Home));
        Assert.Null(limits.WhyNot(Home with { Peer = "198.51.100.9" }));
    }

    [Theory]
    [InlineData("scanner@example.org", true)]
    [InlineData("\"scanner\"@EXAMPLE.org", true)]
    [InlineData("scanner2@example.org", false)]
    [InlineData("anybody@lists.example.org", true)]
    [InlineData("anybody@deeper.lists.example.org", false)]
    public void A_sender_is_an_address_or_of_a_domain(string sender, bool may) =>
        Assert.Equal(may, new CredentialLimits { Senders = ["scanner@example.org", "@lists.example.org"] }.MaySendAs(Mailbox.Parse(sender)));
}
