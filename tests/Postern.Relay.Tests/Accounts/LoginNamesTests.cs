using Postern.Relay.Accounts;

namespace Postern.Relay.Tests.Accounts;

public sealed class LoginNamesTests
{
    [Theory]
    [InlineData("Lisa@Example.COM", "lisa@example.com")]
    [InlineData("lisa", "lisa")]
    [InlineData("TITLE", "title")]
    [InlineData("\u212adm", "kdm")]
    [InlineData("\uff2c\uff29\uff33\uff21", "lisa")]
    [InlineData("M\u00dcLLER", "m\u00fcller")]
    [InlineData("mu\u0308ller", "m\u00fcller")]
    [InlineData(" lisa", " lisa")]
    public void Every_spelling_has_one_canonical_form(string name, string expected)
    {
        Assert.True(LoginNames.TryCanonical(name, out var canonical));
        Assert.Equal(expected, canonical);
        Assert.True(LoginNames.TryCanonical(canonical, out var again));
        Assert.Equal(canonical, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("li\0sa")]
    [InlineData("lisa\n")]
    [InlineData("lisa\u007f")]
    [InlineData("lisa\u0085")]
    [InlineData("li\u200bsa")]
    [InlineData("lisa\u202e")]
    [InlineData("lisa\u2028")]
    [InlineData("lisa\ue000")]
    [InlineData("lisa\ufffd")]
    public void A_name_with_characters_that_do_not_show_is_nobodys(string name) => Assert.False(LoginNames.TryCanonical(name, out _));

    [Fact]
    public void A_name_must_be_text() => Assert.False(LoginNames.TryCanonical("lisa" + '\ud800', out _));

    [Fact]
    public void A_name_has_an_upper_bound()
    {
        Assert.True(LoginNames.TryCanonical(new string('a', 255), out _));
        Assert.False(LoginNames.TryCanonical(new string('a', 256), out _));
        Assert.False(LoginNames.TryCanonical(new string('\ufdfa', 255), out _));
    }

    [Fact]
    public void A_masked_name_shows_nothing_of_itself_but_is_stable()
    {
        var masked = LoginNames.Mask("hunter2-my-password");
        Assert.DoesNotContain("hunter2", masked, StringComparison.Ordinal);
        Assert.Equal(masked, LoginNames.Mask("hunter2-my-password"));
        Assert.NotEqual(masked, LoginNames.Mask("hunter2-my-passwore"));
    }

    [Fact]
    public void Unicode_works_here() => Assert.Null(LoginNames.UnicodeProblem());
}
