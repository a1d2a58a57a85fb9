using System.Globalization;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>
/// What a server offers in its reply to EHLO (RFC 5321 §4.1.1.1). Keywords are compared without case; unknown ones are kept.
/// </summary>
public sealed class SmtpExtensions
{
    private readonly Dictionary<string, string> parameters;

    private SmtpExtensions(Dictionary<string, string> parameters)
    {
        this.parameters = parameters;
        HasPipelining = Has("PIPELINING");
        Has8BitMime = Has("8BITMIME");
        HasStartTls = Has("STARTTLS");
        HasSize = Has("SIZE");
        AuthMechanisms = ParametersOf("AUTH")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        MaxSize = long.TryParse(ParametersOf("SIZE"), NumberStyles.None, CultureInfo.InvariantCulture, out var max) && max > 0 ? max : null;
    }

    /// <summary>What a server that only answers HELO offers.</summary>
    public static SmtpExtensions None { get; } = new([]);

    /// <summary>RFC 2920.</summary>
    public bool HasPipelining { get; }

    /// <summary>RFC 6152.</summary>
    public bool Has8BitMime { get; }

    /// <summary>RFC 3207.</summary>
    public bool HasStartTls { get; }

    /// <summary>RFC 1870.</summary>
    public bool HasSize { get; }

    /// <summary>The mechanisms of RFC 4954 §3, as the server spells them; empty without AUTH.</summary>
    public IReadOnlyList<string> AuthMechanisms { get; }

    /// <summary>The fixed maximum in octets; null when the server states none.</summary>
    public long? MaxSize { get; }

    /// <summary>Reads the lines behind the first, which is the server's name. A keyword given twice counts as first given.</summary>
    public static SmtpExtensions Parse(Reply ehlo)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in ehlo.Lines.Skip(1))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            found.TryAdd(space < 0 ? line : line[..space], space < 0 ? string.Empty : line[(space + 1)..].Trim());
        }

        return new SmtpExtensions(found);
    }

    /// <summary>True when the server offers this keyword, in any case.</summary>
    public bool Has(string keyword) => parameters.ContainsKey(keyword);

    /// <summary>What follows the keyword; null when it is not offered.</summary>
    public string? ParametersOf(string keyword) => parameters.GetValueOrDefault(keyword);
}
