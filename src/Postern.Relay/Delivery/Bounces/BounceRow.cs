using System.Globalization;

namespace Postern.Relay.Delivery.Bounces;

/// <summary>One line of a <see cref="BounceTable"/>: what a reply must be for the category. What is null fits every reply.</summary>
/// <param name="Category">Its word; one of <see cref="BounceCategory.All"/>, or an operator's own.</param>
public sealed record BounceRow(string Category)
{
    /// <summary>
    /// The enhanced status (RFC 3463): <c>5.7.1</c>; <c>x</c> for any class and <c>*</c> for any detail, as in <c>x.7.*</c>.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>The code of the reply, or its first digit or two: 550, 55, 5.</summary>
    public string? Code { get; init; }

    /// <summary>Stands somewhere in the reply, in any case.</summary>
    public string? Text { get; init; }

    /// <summary>Whose words they are, for who reads the table; nothing is decided by it.</summary>
    public string? From { get; init; }

    /// <summary>Something is asked of the reply.</summary>
    public bool IsBound => Status is not null || Code is not null || Text is not null;

    /// <summary>Whether <see cref="Status"/> is written as it must be.</summary>
    public static bool IsStatus(string text)
    {
        var parts = text.Split('.');
        return parts is [['x' or 'X' or '4' or '5'], var subject, var detail] && IsNumber(subject) && (detail == "*" || IsNumber(detail));

        static bool IsNumber(string part) =>
            part.Length is > 0 and <= 3 && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    /// <param name="status">Null where the reply has none.</param>
    /// <param name="code">Null where nobody replied.</param>
    public bool Fits(string? status, int? code, string reply) =>
        (Status is null || (status is not null && FitsStatus(Status, status)))
        && (Code is null || code?.ToString(CultureInfo.InvariantCulture).StartsWith(Code, StringComparison.Ordinal) == true)
        && (Text is null || reply.Contains(Text, StringComparison.OrdinalIgnoreCase));

    private static bool FitsStatus(string pattern, string status)
    {
        var (from, dot) = (status.IndexOf('.', StringComparison.Ordinal), pattern.IndexOf('.', StringComparison.Ordinal));
        if (from < 0 || (pattern[0] is not ('x' or 'X') && !status.AsSpan(0, from).SequenceEqual(pattern.AsSpan(0, dot))))
            return false;
        var wanted = pattern.AsSpan(dot);
        var given = status.AsSpan(from);
        return wanted[^1] == '*' ? given.StartsWith(wanted[..^1]) : given.SequenceEqual(wanted);
    }
}
