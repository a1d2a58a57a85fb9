using System.Globalization;

namespace Postern.Configuration.Reading;

/// <summary>Times for people: UTC, to the second, and sorting as text.</summary>
internal static class TimeText
{
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
