using System.Text;

namespace Postern.Sasl.Tests;

public sealed class StrictBase64Tests
{
    [Theory]
    [InlineData("")]
    [InlineData("Zg==")]
    [InlineData("Zm8=")]
    [InlineData("Zm9v")]
    [InlineData("Zm9vYg==")]
    public void Proper_base64_is_decoded(string text)
    {
        Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(text), out var octets));
        Assert.Equal("foob"[..octets.Length], Encoding.ASCII.GetString(octets));
    }

    [Theory]
    [InlineData("Z")]
    [InlineData("Zg")]
    [InlineData("Zg=")]
    [InlineData("Zg===")]
    [InlineData("=Zg=")]
    [InlineData("====")]
    [InlineData("Z===")]
    [InlineData("Zg==Zg==")]
    [InlineData("Zm9v\n")]
    [InlineData("Zm 9v===")]
    [InlineData("Zm9-")]
    [InlineData("Zm9_")]
    [InlineData("Zh==")]
    [InlineData("Zm9=")]
    public void Anything_else_is_refused(string text) => Assert.False(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Every_length_round_trips_and_agrees_with_the_runtime()
    {
        var random = new Random(1);
        for (var length = 0; length < 200; length++)
        {
            var octets = new byte[length];
            random.NextBytes(octets);
            Assert.True(StrictBase64.TryDecode(Encoding.ASCII.GetBytes(Convert.ToBase64String(octets)), out var decoded));
            Assert.Equal(octets, decoded);
        }
    }
}
