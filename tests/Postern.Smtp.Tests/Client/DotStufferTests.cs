using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Smtp.Client;

namespace Postern.Smtp.Tests.Client;

public sealed class DotStufferTests
{
    /// <summary>Octets that matter are frequent, so that edges meet.</summary>
    private static readonly Arbitrary<byte[]> Contents = Gen.Elements("\r\n..\r\nab\0\u00ff".Select(c => (byte)c).ToArray()).ArrayOf().ToArbitrary();

    private static string Stuff(byte[] content, Func<int, int> pieceAt)
    {
        var stuffer = default(DotStuffer);
        var output = new byte[DotStuffer.MaxLength(content.Length) + (2 * content.Length) + DotStuffer.FinishLength + 2];
        var written = 0;
        for (var at = 0; at < content.Length;)
        {
            var size = Math.Clamp(pieceAt(at), 1, content.Length - at);
            // A destination of exactly the promised size: one octet more would throw.
            var piece = new byte[DotStuffer.MaxLength(size)];
            var count = stuffer.Write(content.AsSpan(at, size), piece);
            piece.AsSpan(0, count).CopyTo(output.AsSpan(written));
            written += count;
            at += size;
        }

        var end = new byte[DotStuffer.FinishLength];
        var last = stuffer.Finish(end);
        end.AsSpan(0, last).CopyTo(output.AsSpan(written));
        return Encoding.Latin1.GetString(output, 0, written + last);
    }

    private static string Normalise(byte[] content)
    {
        var text = Encoding.Latin1.GetString(content).Replace("\r\n", "\n").Replace('\r', '\n').Replace("\n", "\r\n");
        return text.Length == 0 || text.EndsWith("\r\n", StringComparison.Ordinal) ? text : text + "\r\n";
    }

    private static string Unstuff(string wire)
    {
        Assert.EndsWith(".\r\n", wire);
        var lines = wire[..^3].Split("\r\n");
        return string.Join("\r\n", lines.Select(l => l.StartsWith('.') ? l[1..] : l));
    }

    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData("a", "a\r\n.\r\n")]
    [InlineData(".", "..\r\n.\r\n")]
    [InlineData("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("a\r.\rb\r", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("a\r\n", "a\r\n.\r\n")]
    [InlineData("\r\r\n", "\r\n\r\n.\r\n")]
    public void Content_becomes_mail_data(string content, string wire) =>
        Assert.Equal(wire, Stuff(Encoding.Latin1.GetBytes(content), _ => int.MaxValue));

    [Fact]
    public void Any_cutting_of_the_content_gives_the_same_data() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Contents, Gen.Choose(1, 5).ArrayOf(64).ToArbitrary(), (content, cuts) =>
            Stuff(content, at => cuts[at % cuts.Length]) == Stuff(content, _ => int.MaxValue)));

    [Fact]
    public void Unstuffing_gives_back_the_content_with_its_line_ends_made_right() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Contents, content =>
            Unstuff(Stuff(content, _ => 3)) == Normalise(content)));

    [Fact]
    public void No_bare_carriage_return_or_newline_leaves_and_only_the_end_ends() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Contents, content =>
        {
            var wire = "\r\n" + Stuff(content, _ => 2);
            var left = wire.Replace("\r\n", string.Empty);
            return !left.Contains('\r') && !left.Contains('\n') && wire.IndexOf("\r\n.\r\n", StringComparison.Ordinal) == wire.Length - 5;
        }));
}
