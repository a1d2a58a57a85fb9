using Postern.Commands.Sendmail;
using Postern.Smtp.Grammar;

namespace Postern.Tests.Sendmail;

/// <summary>Whom a field of a header names.</summary>
public sealed class AddressListTests
{
    private static readonly Domain Host = Domain.Parse("mail.example.org");

    [Theory]
    [InlineData("lisa@example.org", "lisa@example.org")]
    [InlineData("Lisa <lisa@example.org>", "lisa@example.org")]
    [InlineData("\"Simpson, Lisa\" <lisa@example.org>, bart@example.net", "lisa@example.org bart@example.net")]
    [InlineData("lisa@example.org (Lisa, (the) sax), bart", "lisa@example.org bart@mail.example.org")]
    [InlineData("root", "root@mail.example.org")]
    [InlineData("undisclosed-recipients:;", "")]
    [InlineData("Family: homer@example.org, <marge@example.org>; maggie@example.org", "homer@example.org marge@example.org maggie@example.org")]
    [InlineData("<@relay.example,@other.example:lisa@example.org>", "lisa@example.org")]
    [InlineData("a . b @ example.org", "a.b@example.org")]
    [InlineData("\"a,b\"@example.org", "\"a,b\"@example.org")]
    [InlineData("root@[IPv6:2001:db8::1], x@[192.0.2.1]", "root@[IPv6:2001:db8::1] x@[192.0.2.1]")]
    [InlineData(" ,, lisa@example.org,\r\n\tbart@example.net ,", "lisa@example.org bart@example.net")]
    [InlineData("(only a comment)", "")]
    public void Names_comments_groups_and_routes_are_passed_over(string text, string expected)
    {
        var found = new List<Mailbox>();
        Assert.True(AddressList.TryRead(text, Host, found, out var wrong), wrong);
        Assert.Equal(expected, string.Join(' ', found.Select(static m => m.Address)));
    }

    [Theory]
    [InlineData("Lisa Simpson, bart@example.net", "Lisa Simpson")]
    [InlineData("lisa@", "lisa@")]
    [InlineData("lisa@example.org bart@example.net", "lisa@example.org bart@example.net")]
    [InlineData("<lisa@@example.org>", "lisa@@example.org")]
    public void What_is_no_address_is_shown(string text, string part)
    {
        Assert.False(AddressList.TryRead(text, Host, [], out var wrong));
        Assert.Equal(part, wrong);
    }

    [Theory]
    [InlineData("\"never ends <a@example.org>")]
    [InlineData("(never (ends")]
    [InlineData("<never@ends")]
    [InlineData("\\")]
    [InlineData("\"\\")]
    [InlineData("(\\")]
    [InlineData("<<>>;;::,,")]
    public void What_is_cut_off_is_read_without_harm(string text) => AddressList.TryRead(text, Host, [], out _);
}
