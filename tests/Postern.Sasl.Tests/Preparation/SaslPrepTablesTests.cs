using System.Text;
using Postern.Sasl.Preparation;

namespace Postern.Sasl.Tests.Preparation;

/// <summary>The tables of RFC 3454 at their borders, and over every script.</summary>
public sealed class SaslPrepTablesTests
{
    /// <summary>First and last of ranges, with their neighbours.</summary>
    [Theory]
    [InlineData(0x001f, false)]
    [InlineData(0x0020, true)]
    [InlineData(0x007e, true)]
    [InlineData(0x007f, false)]
    [InlineData(0x0080, false)]
    [InlineData(0x009f, false)]
    [InlineData(0x00a1, true)]
    [InlineData(0x06dd, false)]
    [InlineData(0x06de, true)]
    [InlineData(0x070f, false)]
    [InlineData(0x180e, false)]
    [InlineData(0x200e, false)]
    [InlineData(0x200f, false)]
    [InlineData(0x2010, true)]
    [InlineData(0x2027, true)]
    [InlineData(0x2028, false)]
    [InlineData(0x202e, false)]
    [InlineData(0x206a, false)]
    [InlineData(0x206f, false)]
    [InlineData(0x2ff0, false)]
    [InlineData(0x2ffb, false)]
    [InlineData(0xe000, false)]
    [InlineData(0xf8ff, false)]
    [InlineData(0xf900, true)]
    [InlineData(0xfdcf, true)]
    [InlineData(0xfdd0, false)]
    [InlineData(0xfdef, false)]
    [InlineData(0xfff9, false)]
    [InlineData(0xfffd, false)]
    [InlineData(0x1d172, true)]
    [InlineData(0x1d173, false)]
    [InlineData(0x1d17a, false)]
    [InlineData(0x1d17b, true)]
    [InlineData(0xe0001, false)]
    [InlineData(0xe0020, false)]
    [InlineData(0xe007f, false)]
    [InlineData(0xf0000, false)]
    [InlineData(0x10ffff, false)]
    public void A_code_point_is_allowed_or_prohibited(int codePoint, bool isAllowed) => Assert.Equal(isAllowed, SaslPrep.TryPrepareQuery(char.ConvertFromUtf32(codePoint), out _));

    [Theory]
    [InlineData("\u0627b")]
    [InlineData("b\u0627")]
    [InlineData("\u06271")]
    [InlineData("1\u0627")]
    [InlineData("\u0627 b \u0627")]
    [InlineData("\u05d0\u03b1\u05d0")]
    public void Two_directions_are_refused(string text) => Assert.False(SaslPrep.TryPrepareQuery(text, out _));

    [Theory]
    [InlineData("\u0627")]
    [InlineData("\u0627\u05d0")]
    [InlineData("\u0627 1 \u0628")]
    [InlineData("a1\u00e9")]
    [InlineData("1\u00bd")]
    public void One_direction_is_good(string text) => Assert.True(SaslPrep.TryPrepareQuery(text, out _));

    /// <summary>What it says yes to is a name: nothing in it that does not show, and preparing it again changes nothing that Unicode 3.2 knew.</summary>
    [Fact]
    public void No_code_point_makes_it_throw_and_what_is_stored_is_stable()
    {
        // Every code point of the alphabets, then one in 61.
        var stored = 0;
        for (var codePoint = 0x80; codePoint <= 0x10ffff; codePoint += codePoint < 0x3100 ? 1 : 61)
        {
            if (codePoint is >= 0xd800 and <= 0xdfff)
                continue;
            var text = char.ConvertFromUtf32(codePoint);
            if (SaslPrep.TryPrepareQuery(text, out var prepared))
                Assert.DoesNotContain(prepared, char.IsControl);
            if (!SaslPrep.TryPrepareStored(text, out var kept))
                continue;
            stored++;
            if (!SaslPrep.TryPrepareStored(kept, out var again) || again != kept)
                Assert.Fail($"U+{codePoint:X4} is not stable");
        }

        Assert.InRange(stored, 5_000, 15_000);
    }

    [Fact]
    public void Octets_are_prepared_as_text_is()
    {
        foreach (var text in new[] { "", "pencil", "a b", "a\0", "a\u001f", "a\u007f", "~", "\u2168", "a\u00adb", "\u0627a" })
        {
            var isText = SaslPrep.TryPrepareQuery(text, out var expected);
            Assert.Equal(isText, SaslPrep.TryPrepareQuery(Encoding.UTF8.GetBytes(text), out var octets));
            Assert.Equal(Encoding.UTF8.GetBytes(isText ? expected : text), octets);
        }

        Assert.False(SaslPrep.TryPrepareQuery([0xff, 0x41], out var same));
        Assert.Equal([0xff, 0x41], same);
    }
}
