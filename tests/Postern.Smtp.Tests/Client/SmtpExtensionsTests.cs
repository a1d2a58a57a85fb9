using Postern.Smtp.Client;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Tests.Client;

public sealed class SmtpExtensionsTests
{
    [Fact]
    public void Keywords_are_read_without_case_and_with_their_parameters()
    {
        var offered = SmtpExtensions.Parse(new Reply(250, status: null, "mx.test PIPELINING", "size 1000", "8bitmime", "AUTH PLAIN LOGIN", "STARTTLS", "X-ODD"));

        Assert.False(offered.HasPipelining);
        Assert.True(offered.HasSize && offered.Has8BitMime && offered.HasStartTls && offered.Has("x-odd"));
        Assert.Equal(1000, offered.MaxSize);
        Assert.Equal("PLAIN LOGIN", offered.ParametersOf("auth"));
    }

    [Theory]
    [InlineData("SIZE")]
    [InlineData("SIZE 0")]
    [InlineData("SIZE -5")]
    [InlineData("SIZE 99999999999999999999999")]
    [InlineData("SIZE=100")]
    public void A_size_that_states_no_limit_is_none(string line) =>
        Assert.Null(SmtpExtensions.Parse(new Reply(250, status: null, "mx.test", line)).MaxSize);
}
