using System.Globalization;

namespace Postern.Web.Parts;

/// <summary>Numbers with their units, as people read them.</summary>
public static class Figures
{
    /// <summary><c>100,000</c>.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 message</c>, <c>2 messages</c>.</summary>
    public static string Count(long count, string one, string? many = null) => $"{Count(count)} {(count == 1 ? one : many ?? one + "s")}";

    /// <summary>Octets; from a thousand on in kB, MB and GB of a thousand each.</summary>
    public static string Octets(long octets) => octets switch
    {
        < 1_000 => Count(octets, "octet"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{octets / 1e3:0.#} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{octets / 1e6:0.#} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{octets / 1e9:0.#} GB"),
    };

    /// <summary>Of 0 to 1.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");
}
