using System.Text;
using Postern.Hosting.Drop;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Tests.Sendmail;

/// <summary>One message in the drop directory, as whoever may write there left it.</summary>
public sealed class DropFileTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Fact]
    public void What_was_said_is_read_again()
    {
        var envelope = new SmtpEnvelope(new ReversePath(Mailbox.Parse("\"l s\"@example.org")), [Mailbox.Parse("bart@example.net"), Mailbox.Parse("grüße@example.com")])
        {
            Parameters = new MailParameters { Body = BodyType.EightBitMime, IsUtf8 = true, EnvelopeId = "a+b=c >", Return = DsnReturn.Full },
            RecipientParameters = [new RecipientParameters { Notify = DsnNotify.Success | DsnNotify.Delay }, RecipientParameters.None],
        };
        var dropped = Read([.. DropFile.Head(envelope, "lisa", length: 5), .. "x\r\ny\n"u8], out _)!;
        Assert.Equal("lisa", dropped.User);
        Assert.Equal(envelope.Sender, dropped.Envelope.Sender);
        Assert.Equal(envelope.Recipients, dropped.Envelope.Recipients);
        Assert.Equal(envelope.Parameters, dropped.Envelope.Parameters);
        Assert.Equal(envelope.RecipientParameters, dropped.Envelope.RecipientParameters);
        Assert.Equal(5, dropped.Length);
    }

    [Fact]
    public void The_null_sender_and_ten_thousand_recipients_are_read_again()
    {
        var envelope = new SmtpEnvelope(ReversePath.Null, [.. Enumerable.Range(0, 10_000).Select(static i => Mailbox.Parse($"user{i}@example.net"))]);
        var dropped = Read(DropFile.Head(envelope, user: null, length: 0), out _)!;
        Assert.True(dropped.Envelope.Sender.IsNull);
        Assert.Equal(10_000, dropped.Envelope.Recipients.Length);
        Assert.Empty(dropped.Envelope.RecipientParameters);
    }

    [Theory]
    [InlineData("", "no proper beginning")]
    [InlineData("\n\n", "no message of this version")]
    [InlineData("postern-drop 1 0000000000000001\n\nx", "no message of this version")]
    [InlineData("postern-drop 2 0000000000000001\nfrom\t\t\nto\ta@b.c\t\n\nx", "no message of this version")]
    [InlineData("postern-drop 1 -000000000000001\nfrom\t\t\nto\ta@b.c\t\n\nx", "no message of this version")]
    [InlineData("postern-drop 1 0000000000000001\nfrom\t\t\n\nx", "no message of this version")]
    [InlineData("postern-drop 1 0000000000000001\nfrom\tnobody\t\nto\ta@b.c\t\n\nx", "sender")]
    [InlineData("postern-drop 1 0000000000000001\nfrom\t\tBODY=x\nto\ta@b.c\t\n\nx", "sender")]
    [InlineData("postern-drop 1 0000000000000001\nfrom\t\t\nto\ta@b.c\tNOTIFY=never\nto\t<a@b.c>\t\n\nx", "recipients")]
    [InlineData("postern-drop 1 0000000000000001\nfrom\t\t\nto\ta@b.c\r\t\n\nx", "recipients")]
    [InlineData("postern-drop 1 0000000000000001\nfrom\t\t\nto\ta@b.c\t\n\nxy", "longer or shorter")]
    [InlineData("postern-drop 1 0000000000000002\nfrom\t\t\nto\ta@b.c\t\n\nx", "longer or shorter")]
    [InlineData("postern-drop 1 0000000000000001\nfrom\t\t\nto\ta@b.c\t\n", "no proper beginning")]
    public void What_is_no_whole_message_is_not_read(string text, string why)
    {
        Assert.Null(Read(Encoding.UTF8.GetBytes(text), out var whyNot));
        Assert.Contains(why, whyNot, StringComparison.Ordinal);
    }

    [Fact]
    public void A_beginning_without_end_is_not_read_for_ever()
    {
        Assert.Null(Read(Encoding.ASCII.GetBytes("postern-drop 1 0000000000000001\n" + new string('x', 9 * 1024 * 1024)), out var whyNot));
        Assert.Contains("no proper beginning", whyNot, StringComparison.Ordinal);
        Assert.Null(Read([0xFF, 0xFE, (byte)'\n', (byte)'\n'], out whyNot));
        Assert.Contains("not UTF-8", whyNot, StringComparison.Ordinal);
    }

    private DropFile? Read(byte[] octets, out string whyNot)
    {
        File.WriteAllBytes(path, octets);
        using var file = File.OpenHandle(path);
        return DropFile.TryRead(file, out var dropped, out whyNot) ? dropped : null;
    }
}
