using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Tests.Grammar;

public sealed class HelloNameTests
{
    [Theory]
    [InlineData("client.example", "client.example")]
    [InlineData("[192.0.2.1]", "[192.0.2.1]")]
    [InlineData("FRONT DESK PC", "\"FRONT DESK PC\"")]
    [InlineData("DOM\\PC", "\"DOM?PC\"")]
    [InlineData("a(b", "\"a?b\"")]
    [InlineData("x\"; y", "\"x?? y\"")]
    [InlineData("x ([192.0.2.1]) by mail.example.org with ESMTPSA id 1; ", "\"x??[192.0.2.1]??by?mail.example.org?with?ESMTPSA?id?1??\"")]
    [InlineData("x by mail.example.org WITH ESMTPSA", "\"x?by?mail.example.org?WITH?ESMTPSA\"")]
    [InlineData("standby with", "\"standby?with\"")]
    [InlineData("standby pc", "\"standby pc\"")]
    public void A_name_that_is_none_stands_in_quotes_in_received_and_forges_nothing(string name, string word) => Assert.Equal(word, HelloName.Word(name));

    [Fact]
    public void Every_octet_becomes_one_printable_character()
    {
        var octets = Enumerable.Range(0, 256).Select(static c => (byte)c).ToArray();
        var name = HelloName.Read(octets);
        Assert.Equal(256, name.Length);
        Assert.All(octets, octet => Assert.Equal(octet is >= 32 and <= 126 ? (char)octet : '?', name[octet]));
        Assert.Equal("M??LLER-PC", HelloName.Read(Encoding.UTF8.GetBytes("MÜLLER-PC")));
        Assert.Equal("M?LLER-PC", HelloName.Read(Encoding.Latin1.GetBytes("MÜLLER-PC")));
    }

    [Fact]
    public void No_word_of_received_holds_what_ends_a_quoted_string_a_comment_or_the_field()
    {
        var word = HelloName.Word(HelloName.Read([.. Enumerable.Range(0, 256).Select(static c => (byte)c)]));
        Assert.DoesNotContain(word[1..^1], static c => "\"\\();<>,\r\n".Contains(c, StringComparison.Ordinal));
    }
}
