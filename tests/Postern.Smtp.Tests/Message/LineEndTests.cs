using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Smtp.Message;

namespace Postern.Smtp.Tests.Message;

public sealed class LineEndTests
{
    /// <summary>Row 12: a CRLF cut in two is one line end, wherever it is cut.</summary>
    [Fact]
    public void Row_12_any_split_of_content_is_normalized_to_the_same()
    {
        Check(static (content, sizes) => Normalize(content, sizes) == Encoding.Latin1.GetString(content).Replace("\0", "").Replace("\r\n", "\n").Replace('\r', '\n').Replace("\n", "\r\n"));
    }

    [Fact]
    public void Row_12_a_bare_line_end_is_noticed_in_any_split()
    {
        Check(static (content, sizes) =>
        {
            var check = new LineEndCheck();
            foreach (var part in Parts(content, sizes))
                check.Next(part);
            check.Finish();
            return check.HasBareLineEnd == Encoding.Latin1.GetString(content).Replace("\r\n", string.Empty).AsSpan().ContainsAny('\r', '\n')
                && (check.HasBareLineEnd || check.HasNul == content.Contains((byte)0));
        });
    }

    [Fact]
    public void What_is_taken_out_is_counted()
    {
        Check(static (content, sizes) =>
        {
            var normalizer = new LineEndNormalizer();
            foreach (var part in Parts(content, sizes))
                normalizer.Write(part, new byte[LineEndNormalizer.MaxLength(part.Length)]);
            return normalizer.Removed == content.Count(static octet => octet == 0);
        });
    }

    [Fact]
    public void What_is_normalized_stays_as_it_is_the_second_time()
    {
        Check(static (content, sizes) =>
        {
            var once = Normalize(content, sizes);
            return Normalize(Encoding.Latin1.GetBytes(once), sizes) == once;
        });
    }

    private static void Check(Func<byte[], int[], bool> holds)
    {
        var octets = Gen.Elements((byte)'.', (byte)'\r', (byte)'\n', (byte)'a', (byte)0).ArrayOf();
        var cuts = Gen.Choose(1, 5).ArrayOf();
        Prop.ForAll(octets.ToArbitrary(), cuts.ToArbitrary(), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    private static string Normalize(byte[] content, int[] sizes)
    {
        var normalizer = new LineEndNormalizer();
        var text = new StringBuilder();
        foreach (var part in Parts(content, sizes))
        {
            var octets = new byte[LineEndNormalizer.MaxLength(part.Length)];
            text.Append(Encoding.Latin1.GetString(octets, 0, normalizer.Write(part, octets)));
        }

        return text.ToString();
    }

    private static IEnumerable<byte[]> Parts(byte[] content, int[] sizes)
    {
        for (var (at, turn) = (0, 0); at < content.Length; turn++)
        {
            var size = Math.Min(sizes.Length == 0 ? 1 : sizes[turn % sizes.Length], content.Length - at);
            yield return content[at..(at + size)];
            at += size;
        }
    }
}
