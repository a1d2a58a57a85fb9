using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Smtp.Message;

namespace Postern.Smtp.Tests.Message;

public sealed class DotUnstufferTests
{
    [Fact]
    public void Row_12_any_split_of_the_stream_gives_the_same_content()
    {
        // Octets chosen so that dots, line ends and their neighbours meet at every edge.
        var octets = Gen.Elements((byte)'.', (byte)'\r', (byte)'\n', (byte)'a', (byte)0).ArrayOf();
        var cuts = Gen.Choose(1, 5).ArrayOf();
        var property = Prop.ForAll(octets.ToArbitrary(), cuts.ToArbitrary(), static (content, sizes) =>
        {
            byte[] stream = [.. content, .. "\r\n.\r\nNOOP\r\n"u8];
            return Feed(stream, [stream.Length]) == Feed(stream, sizes);
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void Stuffed_content_comes_back_as_it_was()
    {
        var line = Gen.Elements("", ".", "..", "a", ".a", "a.", "\0").ArrayOf();
        var property = Prop.ForAll(line.ToArbitrary(), static lines =>
        {
            var content = string.Concat(lines.Select(static l => l + "\r\n"));
            var stuffed = string.Concat(lines.Select(static l => (l.StartsWith('.') ? "." : "") + l + "\r\n")) + ".\r\n";
            return Feed(Encoding.Latin1.GetBytes(stuffed), [3]) == (content, false, content.Contains('\0', StringComparison.Ordinal), 0);
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Theory]
    [InlineData("\n.\n")]
    [InlineData("\n.\r\n")]
    [InlineData("\r.\r")]
    [InlineData("\r\n.\r")]
    [InlineData("\r\n.\n")]
    [InlineData("\r.\r\n")]
    [InlineData("\n\r\n.\n\r\n")]
    [InlineData("\r\r\n.\r\r\n")]
    public void Nothing_but_crlf_dot_crlf_ends_the_data(string end)
    {
        var unstuffer = new DotUnstuffer();
        Run(ref unstuffer, Encoding.Latin1.GetBytes("text" + end + "MAIL FROM:<x@y>\r\nabc"), out _);
        Assert.False(unstuffer.IsComplete);
        Assert.True(unstuffer.HasBareLineEnd);
    }

    /// <summary>Content, whether a bare line end and a NUL were seen, and how many octets behind the end were left alone.</summary>
    private static (string Content, bool Bare, bool Nul, int Left) Feed(byte[] stream, int[] sizes)
    {
        var unstuffer = new DotUnstuffer();
        var content = new StringBuilder();
        List<byte> window = [];
        var (at, turn) = (0, 0);
        while (!unstuffer.IsComplete && at < stream.Length)
        {
            var size = Math.Min(sizes.Length == 0 ? 1 : sizes[turn++ % sizes.Length], stream.Length - at);
            window.AddRange(stream.AsSpan(at, size));
            at += size;
            content.Append(Run(ref unstuffer, [.. window], out var used));
            window.RemoveRange(0, used);
        }

        // Whatever stood behind the end is not content; how much of it had been read depends on the split.
        return (content.ToString(), unstuffer.HasBareLineEnd, unstuffer.HasNul, unstuffer.IsComplete ? 0 : -1);
    }

    private static string Run(ref DotUnstuffer unstuffer, byte[] input, out int used)
    {
        var content = new StringBuilder();
        used = 0;
        while (!unstuffer.IsComplete)
        {
            unstuffer.Next(input.AsSpan(used), out var skip, out var length, out var after);
            content.Append(Encoding.Latin1.GetString(input, used + skip, length));
            used += skip + length + after;
            if (skip + length + after == 0)
                break;
        }

        return content.ToString();
    }
}
