using System.Net;
using Postern.Relay.Delivery;

namespace Postern.Relay.Tests.Delivery;

public sealed class AddressGuardTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("198.18.0.1")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("fd00::1")]
    [InlineData("ff02::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2002:a00:1::1")]
    [InlineData("::ffff:0:7f00:1")]
    [InlineData("2001:20::1")]
    [InlineData("5f00::1")]
    [InlineData("168.63.129.16")]
    [InlineData("100.100.100.200")]
    [InlineData("192.0.0.192")]
    [InlineData("fd00:ec2::254")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2")]
    public void An_address_that_is_not_of_the_public_internet_is_refused(string address) =>
        Assert.NotNull(new AddressGuard([]).WhyNot(IPAddress.Parse(address)));

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:4700::1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::808:808")]
    public void A_public_address_is_allowed(string address) =>
        Assert.Null(new AddressGuard([]).WhyNot(IPAddress.Parse(address)));

    [Fact]
    public void An_operator_can_allow_a_network()
    {
        var guard = new AddressGuard([IPNetwork.Parse("10.2.0.0/16")]);
        Assert.Null(guard.WhyNot(IPAddress.Parse("10.2.3.4")));
        Assert.Null(guard.WhyNot(IPAddress.Parse("::ffff:10.2.3.4")));
        Assert.NotNull(guard.WhyNot(IPAddress.Parse("10.3.0.1")));
    }
}
