using System.Collections;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;

namespace Postern.Configuration.Reading;

/// <summary>What one key of the configuration came to, its default where it was left out.</summary>
/// <param name="Path">Such as <c>delivery.routes[0].via</c>.</param>
/// <param name="Meaning">
/// Equal for values that mean the same, however they are written. Of a secret its digest: it never leaves the process.
/// </param>
/// <param name="Shown">The value as it was written, or its default in words; of a secret nothing.</param>
internal sealed record Setting(string Path, string Meaning, string Shown)
{
    private const string Hidden = "(secret)";

    /// <summary>It stands in the file; else it is the default.</summary>
    public bool IsWritten { get; init; }

    /// <summary>Its value is not to be shown to anybody.</summary>
    public bool IsSecret => Shown == Hidden;

    public static Setting OfSecret(string path, Secret secret) =>
        new(path, Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(secret.Reveal()))), Hidden) { IsWritten = true };

    /// <summary>One text for all spellings of a value that was read.</summary>
    public static string Canonical(object? value) => value switch
    {
        null => string.Empty,
        string text => text,
        IFormattable formattable => formattable.ToString(format: null, CultureInfo.InvariantCulture),
        IEnumerable many => $"[{string.Join(", ", many.Cast<object?>().Select(Canonical))}]",
        _ => value.ToString() ?? string.Empty,
    };
}
