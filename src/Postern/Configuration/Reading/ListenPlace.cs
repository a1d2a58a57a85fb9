using System.Globalization;
using System.Net;
using System.Text;

namespace Postern.Configuration.Reading;

/// <summary>Where a listener listens: an endpoint, or the path of a Unix socket.</summary>
/// <param name="Endpoint">Null for a socket's path.</param>
/// <param name="Path">Absolute; null for an endpoint.</param>
internal sealed record ListenPlace(IPEndPoint? Endpoint, string? Path)
{
    /// <summary>The kernel's limit of a socket's path, the final NUL taken off.</summary>
    private const int MaxPathOctets = 107;

    private const string Scheme = "unix:";

    public static Kind<ListenPlace> Kind { get; } = new(Kinds.Endpoint.Name, Kinds.Endpoint.Expected, TryRead, [])
    {
        Why = WhyNot,
    };

    public override string ToString() => Path is null ? $"{Endpoint}" : $"{Scheme}{Path}";

    private static bool TryRead(string text, out ListenPlace value)
    {
        value = new(null, PathOf(text));
        if (value.Path is not null)
            return WhyNot(text) is null;
        if (!Kinds.Endpoint.Read(text, out var endpoint))
            return false;
        value = new(endpoint, null);
        return true;
    }

    private static string? WhyNot(string text)
    {
        if (PathOf(text) is not { } path)
            return null;
        return !path.StartsWith('/') || path.Any(char.IsControl) ? "the path of a socket begins with /, such as unix:/run/postern/auth"
            : Encoding.UTF8.GetByteCount(path) <= MaxPathOctets ? null
            : string.Create(CultureInfo.InvariantCulture, $"the path of a socket has at most {MaxPathOctets} octets");
    }

    private static string? PathOf(string text) =>
        text.StartsWith(Scheme, StringComparison.Ordinal) ? text[Scheme.Length..] : text.StartsWith('/') ? text : null;
}
