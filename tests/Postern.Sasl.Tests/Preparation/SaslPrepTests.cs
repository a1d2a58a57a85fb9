using Postern.Sasl.Preparation;

namespace Postern.Sasl.Tests.Preparation;

public sealed class SaslPrepTests
{
    /// <summary>The examples of RFC 4013 §3, and one for each rule.</summary>
    [Theory]
    [InlineData("I\u00adX", "IX")]
    [InlineData("user", "user")]
    [InlineData("USER", "USER")]
    [InlineData("\u00aa", "a")]
    [InlineData("\u2168", "IX")]
    [InlineData("a\u00a0b", "a b")]
    [InlineData("a\u200bb", "a b")]
    [InlineData("\u0627", "\u0627")]
    [InlineData("\u0627\u0031\u0628", "\u0627\u0031\u0628")]
    [InlineData("pass word", "pass word")]
    [InlineData("", "")]
    public void Text_is_prepared_as_the_rfc_says(string text, string expected)
    {
        Assert.True(SaslPrep.TryPrepareQuery(text, out var prepared));
        Assert.Equal(expected, prepared);
        Assert.True(SaslPrep.TryPrepareQuery(prepared, out var again));
        Assert.Equal(prepared, again);
    }

    [Theory]
    [InlineData("\u0007")]
    [InlineData("a\0b")]
    [InlineData("a\u007f")]
    [InlineData("\u0627\u0031")]
    [InlineData("\u0627a\u0628")]
    [InlineData("\ue000")]
    [InlineData("\ufdd0")]
    [InlineData("a\uffff")]
    [InlineData("\U0001fffe")]
    [InlineData("\ufffd")]
    [InlineData("\u200e")]
    [InlineData("a\u0085b")]
    public void Prohibited_text_is_refused(string text) => Assert.False(SaslPrep.TryPrepareQuery(text, out _));

    [Fact]
    public void A_lone_surrogate_is_refused()
    {
        Assert.False(SaslPrep.TryPrepareQuery("a\ud800", out _));
        Assert.False(SaslPrep.TryPrepareQuery("\udc00a", out _));
    }

    [Fact]
    public void A_code_point_unknown_to_unicode_3_2_may_be_asked_for_and_not_stored()
    {
        Assert.True(SaslPrep.TryPrepareQuery("\u0221", out _));
        Assert.False(SaslPrep.TryPrepareStored("\u0221", out _));
        Assert.True(SaslPrep.TryPrepareStored("\u00e9t\u00e9", out _));
    }
}
