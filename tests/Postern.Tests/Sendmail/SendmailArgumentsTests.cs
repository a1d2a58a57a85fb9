using Postern.Commands.Sendmail;
using Postern.Smtp.Session;

namespace Postern.Tests.Sendmail;

/// <summary>Command lines as programs have always written them.</summary>
public sealed class SendmailArgumentsTests
{
    [Theory]
    [InlineData("-t -i")] // php's default
    [InlineData("-ti")]
    [InlineData("-t -oi")]
    [InlineData("-oi -oem -odb -t")]
    [InlineData("-v -t -OIgnoreDots=true")]
    public void The_recipients_are_the_messages_and_dots_are_text(string line)
    {
        var arguments = Parse(line);
        Assert.Equal((true, true, SendmailMode.Send), (arguments.ReadsRecipients, arguments.IgnoresDots, arguments.Mode));
        Assert.Empty(arguments.Recipients);
    }

    [Theory]
    [InlineData("-f lisa@example.org bart@example.net")]
    [InlineData("-flisa@example.org bart@example.net")]
    [InlineData("-r lisa@example.org -- bart@example.net")]
    [InlineData("-i -f lisa@example.org -em bart@example.net")]
    public void A_value_stands_beside_its_letter_or_behind_it(string line)
    {
        var arguments = Parse(line);
        Assert.Equal("lisa@example.org", arguments.Sender);
        Assert.Equal(["bart@example.net"], arguments.Recipients);
    }

    [Fact]
    public void Nothing_behind_two_dashes_is_an_option() => Assert.Equal(["-t", "--"], Parse("-i -- -t --").Recipients);

    [Fact]
    public void Reports_are_asked_for_by_three_letters()
    {
        var arguments = Parse("-N success,delay -R hdrs -V id-7 x@example.org");
        Assert.Equal((DsnNotify.Success | DsnNotify.Delay, DsnReturn.Headers, "id-7"), (arguments.Notify, arguments.Return, arguments.EnvelopeId));
        Assert.Equal(DsnNotify.Never, Parse("-Nnever").Notify);
    }

    [Theory]
    [InlineData("-XV -f list@example.org x@example.net", "+=")]
    [InlineData("-XV-+ -f list@example.org x@example.net", "-+")]
    [InlineData("-i -X V x@example.net", "+=")]
    [InlineData("-X /dev/null x@example.net", null)]
    public void A_sender_for_each_recipient_is_asked_for_as_of_Postfix(string line, string? delimiters)
    {
        Assert.Equal(delimiters, Parse(line).Verp?.ToString());
        Assert.Equal(["x@example.net"], Parse(line).Recipients);
    }

    [Theory]
    [InlineData("-bs", "Smtp")]
    [InlineData("-bp", "List")]
    [InlineData("-bi", "Aliases")]
    [InlineData("-I", "Aliases")]
    [InlineData("-bm", "Send")]
    [InlineData("-q", "Flush")]
    public void Each_mode_has_its_letters(string line, string mode) => Assert.Equal(mode, Parse(line).Mode.ToString());

    [Fact]
    public void A_part_of_the_queue_is_named_beside_its_letter_or_behind_it()
    {
        Assert.Equal(["--to", "example.org"], Parse("-qR example.org").Flushed);
        Assert.Equal(["--from", "lisa@example.org"], Parse("-v -qS lisa@example.org").Flushed);
        Assert.Equal(["01M8MJFTJ6BJ585N4VFW5VH7V7"], Parse("-qI 01M8MJFTJ6BJ585N4VFW5VH7V7").Flushed);
        Assert.Equal(["--to", "example.org"], Parse("-qRexample.org").Flushed);
        Assert.Equal(["--from", "lisa@example.org"], Parse("-qSlisa@example.org").Flushed);
        Assert.Equal(["01M8MJFTJ6BJ585N4VFW5VH7V7"], Parse("-qI01M8MJFTJ6BJ585N4VFW5VH7V7").Flushed);
    }

    [Theory]
    [InlineData("-Z", "'-Z'")]
    [InlineData("-f", "-f needs a value")]
    [InlineData("-bd", "postern serve")]
    [InlineData("-q30m", "by itself")]
    [InlineData("-qI", "-qI needs a value")]
    [InlineData("-qR", "-qR needs a value")]
    [InlineData("-N sometimes", "expected never")]
    [InlineData("-N never,success", "expected never")]
    [InlineData("-R some", "expected full or hdrs")]
    [InlineData("--tls", "'--tls'")]
    public void What_is_not_done_is_said(string line, string words)
    {
        var (arguments, wrong) = SendmailArguments.Parse(line.Split(' '));
        Assert.Null(arguments);
        Assert.Contains(words, wrong, StringComparison.Ordinal);
    }

    private static SendmailArguments Parse(string line)
    {
        var (arguments, wrong) = SendmailArguments.Parse(line.Split(' '));
        Assert.True(arguments is not null, wrong);
        return arguments;
    }
}
