using System.Text;

namespace Postern.Smtp.Tests.Session;

public sealed class WhiteSpaceTests
{
    private const string Dialogue =
        "EHLO client.example\r\nHELP MAIL\r\nNOOP x\r\nVRFY <a@example.org>\r\nVRFY <a@example.org> SMTPUTF8\r\nETRN example.org\r\nEXPN list\r\nRSET\r\n"
        + "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nXFORWARD NAME=a ADDR=192.0.2.1\r\nXCLIENT NAME=a ADDR=192.0.2.1\r\n"
        + "MAIL FROM: <a@example.org> SIZE=5 BODY=8BITMIME\r\nRCPT TO: <b@accepted.example> NOTIFY=NEVER ORCPT=rfc822;b@accepted.example\r\nRCPT TO: c@accepted.example NOTIFY=NEVER\r\n"
        + "BDAT 3 LAST\r\na\r\nMAIL FROM: <> RET=HDRS\r\nRCPT TO:<b@accepted.example>\r\nDATA\r\nx\r\n.\r\nHELO c\r\nRSET\r\nQUIT\r\n";

    [Theory]
    [InlineData("\t")]
    [InlineData("  ")]
    [InlineData(" \t")]
    [InlineData("\t ")]
    [InlineData("      \t\t  ")]
    public async Task Any_run_of_white_space_between_the_words_of_any_command_is_one_space(string run)
    {
        var (once, often) = (new InMemorySession(), new InMemorySession());
        Assert.Equal(await once.PlayAsync(Encoding.ASCII.GetBytes(Dialogue)), await often.PlayAsync(Encoding.ASCII.GetBytes(Dialogue.Replace(" ", run, StringComparison.Ordinal))));
        Assert.Equal(2, often.Store.Messages.Count);
        Assert.Equal(once.Store.Messages.Select(static m => m.Parameters), often.Store.Messages.Select(static m => m.Parameters));
        Assert.Equal(once.Store.Messages.SelectMany(static m => m.RecipientParameters), often.Store.Messages.SelectMany(static m => m.RecipientParameters));
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("\t")]
    [InlineData(" \t \t")]
    public async Task White_space_at_the_end_of_any_command_is_nothing(string run)
    {
        var (bare, trailing) = (new InMemorySession(), new InMemorySession());
        var lines = Dialogue.Replace("\r\nx\r\n.\r\n", "\r\n.\r\n", StringComparison.Ordinal).Replace("3 LAST\r\na\r\n", "0 LAST\r\n", StringComparison.Ordinal);
        var padded = lines.Replace("\r\n", run + "\r\n", StringComparison.Ordinal).Replace($"DATA{run}\r\n.{run}\r\n", $"DATA{run}\r\n.\r\n", StringComparison.Ordinal);
        Assert.Equal(await bare.PlayAsync(Encoding.ASCII.GetBytes(lines)), await trailing.PlayAsync(Encoding.ASCII.GetBytes(padded)));
        Assert.Equal(2, trailing.Store.Messages.Count);
    }
}
