using System.Text;
using Postern.Sasl.Preparation;

namespace Postern.Sasl.Tests.Preparation;

/// <summary>RFC 8265 as the rule for passwords, SASLprep where that allows them.</summary>
public sealed class PasswordTextTests
{
    [Theory]
    [InlineData("\U0001f600\U0001f600-pass", "\U0001f600\U0001f600-pass")]
    [InlineData("\u2764\ufe0f love", "\u2764 love")]
    [InlineData("\u05e1\u05d9\u05e1\u05de\u05d4123", "\u05e1\u05d9\u05e1\u05de\u05d4123")]
    [InlineData("\u05e1\u05d9\u05e1\u05de\u05d4 1 \u2764\ufe0f", "\u05e1\u05d9\u05e1\u05de\u05d4 1 \u2764\ufe0f")]
    [InlineData("\u0643\u0644\u0645\u0629abc", "\u0643\u0644\u0645\u0629abc")]
    [InlineData("\U0001f468\u200d\U0001f469\u200d\U0001f467 1234", "\U0001f468\U0001f469\U0001f467 1234")]
    [InlineData("nai\u0308ve\u00a0\u2168", "na\u00efve IX")]
    [InlineData("\u05d0\u00a01", "\u05d0 1")]
    [InlineData("plain", "plain")]
    public void What_phones_and_keyboards_write_is_a_password(string password, string prepared)
    {
        Assert.True(PasswordText.TryPrepare(password, out var said));
        Assert.Equal(prepared, said);
        Assert.True(PasswordText.TryPrepare(said, out var again));
        Assert.Equal(said, again);
        Assert.True(PasswordText.IsText(Encoding.UTF8.GetBytes(password)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\u00ad")]
    [InlineData("line\nend")]
    [InlineData("tab\t")]
    [InlineData("\u0085x\u05d01")]
    [InlineData("x\u200e")]
    [InlineData("x\ue000")]
    [InlineData("x\ufdd0")]
    [InlineData("x\ufffd")]
    public void What_does_not_show_is_none(string password)
    {
        Assert.False(PasswordText.TryPrepare(password, out _));
        Assert.False(PasswordText.IsText(Encoding.UTF8.GetBytes(password)));
    }

    [Fact]
    public void Half_a_character_is_none()
    {
        Assert.False(PasswordText.TryPrepare("a\ud800", out _));
        Assert.False(OpaqueString.TryEnforce("\udc00a", out _));
        Assert.False(PasswordText.IsText([0xff, 0x41]));
    }

    /// <summary>RFC 8265 §4.3: examples of what OpaqueString allows, and that case and width stay.</summary>
    [Theory]
    [InlineData("correct horse battery staple", "correct horse battery staple")]
    [InlineData("Correct Horse Battery Staple", "Correct Horse Battery Staple")]
    [InlineData("\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5")]
    [InlineData("Jack of \u2666s", "Jack of \u2666s")]
    [InlineData("foo\u1680bar", "foo bar")]
    [InlineData("\uff21", "\uff21")]
    public void The_examples_of_the_rfc_hold(string password, string prepared)
    {
        Assert.True(OpaqueString.TryEnforce(password, out var said));
        Assert.Equal(prepared, said);
    }

    [Theory]
    [InlineData("plain", 1)]
    [InlineData("p\u00e4ss", 1)]
    [InlineData("pa\u0308ss", 2)]
    [InlineData("\u2168\u00a0x", 3)]
    public void The_spellings_begin_with_what_was_sent(string password, int count)
    {
        var spellings = PasswordText.Spellings(Encoding.UTF8.GetBytes(password));
        Assert.Equal((count, password), (spellings.Count, Encoding.UTF8.GetString(spellings[0])));
        PasswordText.Zero(spellings);
        Assert.All(spellings, static s => Assert.All(s, static octet => Assert.Equal(0, octet)));
    }
}
