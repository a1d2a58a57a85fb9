using System.Globalization;

namespace Postern.Configuration;

/// <summary>
/// One thing wrong with a configuration, printed as <c>postern.yaml:12:5: listeners[0].tsl: unknown key; did you mean 'tls'?</c>
/// </summary>
/// <param name="File">As the operator named it.</param>
/// <param name="Line">From 1; 0 when the file as a whole is meant.</param>
/// <param name="Column">From 1.</param>
/// <param name="Key">The path of the key, such as <c>listeners[0].tls</c>; empty for the file as a whole.</param>
/// <param name="Expected">What would have been right; null where the message says it.</param>
/// <param name="Nearest">The known word that was probably meant; null when none is near.</param>
internal sealed record ConfigurationError(
    string File, int Line, int Column, string Key, string Message, string? Expected = null, string? Nearest = null)
{
    public override string ToString()
    {
        var place = Line == 0 ? File : string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}");
        var key = Key.Length == 0 ? string.Empty : $"{Key}: ";
        var advice = (Nearest, Expected) switch
        {
            ({ } nearest, _) => $"; did you mean '{nearest}'?",
            (null, { } expected) => $"; expected {expected}",
            _ => string.Empty,
        };
        return $"{place}: {key}{Message}{advice}";
    }
}
