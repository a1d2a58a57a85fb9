using System.Collections.Immutable;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>
/// Values of parameters that have no property of their own, by keyword, as ESMTP writes them (RFC 5321 §4.1.2): whatever an extension
/// brings is kept, stored and said again without anybody else knowing it. Immutable, equal by content; a value cannot hold a space, =, CR,
/// LF or NUL.
/// </summary>
public sealed class ParameterValues : IEquatable<ParameterValues>
{
    private readonly ImmutableArray<(string Keyword, string Value)> values;

    private ParameterValues(ImmutableArray<(string Keyword, string Value)> values) => this.values = values;

    /// <summary>No parameter.</summary>
    public static ParameterValues None { get; } = new([]);

    /// <summary>What was said behind the = of a keyword, in any case; empty for one without a value; null where it was not said.</summary>
    public string? this[string keyword]
    {
        get
        {
            foreach (var (known, value) in values)
            {
                if (known.Equals(keyword, StringComparison.OrdinalIgnoreCase))
                    return value;
            }

            return null;
        }
    }

    /// <summary>With one more parameter; in the place of one of the same keyword.</summary>
    /// <param name="keyword">As registered.</param>
    /// <param name="value">As ESMTP writes it; empty for a keyword that takes none.</param>
    /// <exception cref="FormatException">Not an esmtp-value.</exception>
    public ParameterValues With(string keyword, string value)
    {
        var parameters = new EsmtpParameters(Encoding.UTF8.GetBytes(value.Length == 0 ? keyword : $"{keyword}={value}"));
        if (!parameters.TryNext() || !parameters.Is(keyword) || parameters.TryNext() || parameters.IsMalformed || !Ascii.IsValid(value))
            throw new FormatException("A parameter has a keyword, and a value of visible US-ASCII without = (RFC 5321 §4.1.2)");
        return new(
            [.. values.Where(v => !v.Keyword.Equals(keyword, StringComparison.OrdinalIgnoreCase)), (keyword.ToUpperInvariant(), value)]);
    }

    /// <inheritdoc/>
    public bool Equals(ParameterValues? other) =>
        ReferenceEquals(this, other)
        || (other is not null && values.Length == other.values.Length && values.All(v => other[v.Keyword] == v.Value));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ParameterValues);

    /// <inheritdoc/>
    public override int GetHashCode() => values.Length;
}
