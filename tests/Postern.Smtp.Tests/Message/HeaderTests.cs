using System.Text;
using Postern.Smtp.Message;

namespace Postern.Smtp.Tests.Message;

public sealed class HeaderTests
{
    [Theory]
    [InlineData("A: b\r\n\r\nbody", 6)]
    [InlineData("A: b\r\nnot a field\r\n", 6)]
    [InlineData("\r\nbody", 0)]
    [InlineData("body at once\r\n", 0)]
    [InlineData(" folded before any field\r\n", 0)]
    [InlineData("A: b\r\n folded\r\n\r\n", 15)]
    [InlineData("A: b\r\n", -1)]
    [InlineData("A: b\r\n\r", -1)]
    public void The_header_section_ends_at_the_blank_line_or_where_no_field_stands(string content, int end)
    {
        var from = 0;
        Assert.Equal(end, HeaderSection.FindEnd(Encoding.ASCII.GetBytes(content), ref from));

        // The same when it comes octet by octet.
        (from, var found) = (0, -1);
        for (var length = 1; length <= content.Length && found < 0; length++)
            found = HeaderSection.FindEnd(Encoding.ASCII.GetBytes(content[..length]), ref from);
        Assert.Equal(end, found);
    }

    [Fact]
    public void Fields_are_walked_with_their_folding()
    {
        var section = new HeaderSection("Subject: a\r\n b\r\nX-Y : z\r\n"u8);
        Assert.True(section.TryNext());
        Assert.True(section.Is("subject"));
        Assert.Equal(" a\r\n b\r\n", Encoding.ASCII.GetString(section.Body));
        Assert.True(section.TryNext());
        Assert.True(section.Is("X-Y"));
        Assert.False(section.TryNext());
    }

    [Theory]
    [InlineData(" mail.example.org; auth=pass", true)]
    [InlineData(" MAIL.example.org 1; none", true)]
    [InlineData("\r\n (a (nested) comment) mail.example.org;", true)]
    [InlineData(" \"mail.example.org\"; none", true)]
    [InlineData(" mail.example.org.evil.example; none", false)]
    [InlineData(" \"mail\\.exa\\mple.org\"; auth=pass", true)]
    [InlineData(" \"mail.example.org.other\"; auth=pass", false)]
    [InlineData(" \"mail.example.org", false)]
    [InlineData(" other.example; mail.example.org", false)]
    [InlineData("", false)]
    public void A_forged_authentication_results_field_is_recognised(string body, bool forged) =>
        Assert.Equal(forged, AuthenticationResultsField.Claims(Encoding.ASCII.GetBytes(body), "mail.example.org"));

    [Fact]
    public void An_added_field_is_folded_and_cannot_be_broken_out_of()
    {
        var text = new StringBuilder();
        HeaderField.Append(text, "X-Test", new string('a', 60), "second", "thi\r\nrd: x\0", new string('b', 100));
        Assert.Equal($"X-Test: {new string('a', 60)} second\r\n\tthi??rd: x?\r\n\t{new string('b', 100)}\r\n", text.ToString());
    }

    [Fact]
    public void A_date_is_written_as_rfc_5322_says() =>
        Assert.Equal("Fri, 20 Nov 2026 09:05:00 +0000", ReceivedField.Date(new DateTimeOffset(2026, 11, 20, 10, 5, 0, TimeSpan.FromHours(1))));
}
