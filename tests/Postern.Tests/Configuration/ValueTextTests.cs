using Postern.Configuration.Reading;

namespace Postern.Tests.Configuration;

public sealed class ValueTextTests
{
    [Theory]
    [InlineData("50MB", 50_000_000)]
    [InlineData("64KiB", 65_536)]
    [InlineData("1 GB", 1_000_000_000)]
    [InlineData("2gib", 2_147_483_648)]
    [InlineData("17", 17)]
    [InlineData("17B", 17)]
    public void A_size_counts_octets(string text, long octets)
    {
        Assert.True(SizeText.TryParse(text, out var size));
        Assert.Equal(octets, size);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1MB")]
    [InlineData("1.5MB")]
    [InlineData("1XB")]
    [InlineData("99999999999TB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(SizeText.TryParse(text, out _));

    [Theory]
    [InlineData(50_000_000, "50MB")]
    [InlineData(65_536, "64KiB")]
    [InlineData(1_234, "1234B")]
    [InlineData(0, "0B")]
    public void A_size_is_written_exactly(long octets, string text) => Assert.Equal(text, SizeText.Format(octets));

    [Theory]
    [InlineData("90d", 90 * 86_400.0)]
    [InlineData("1h30m", 5_400.0)]
    [InlineData("500ms", 0.5)]
    [InlineData("1w", 604_800.0)]
    [InlineData("1m5ms", 60.005)]
    public void A_duration_adds_its_parts(string text, double seconds)
    {
        Assert.True(DurationText.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("30m1h")]
    [InlineData("1m1m")]
    [InlineData("5x")]
    [InlineData("-5m")]
    [InlineData("40000d")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData(5_400, "1h30m")]
    [InlineData(432_000, "5d")]
    [InlineData(0, "0s")]
    public void A_duration_is_written_in_its_largest_units(int seconds, string text) =>
        Assert.Equal(text, DurationText.Format(TimeSpan.FromSeconds(seconds)));
}
