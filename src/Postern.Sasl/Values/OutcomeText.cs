namespace Postern.Sasl;

/// <summary>
/// Words for the person at the client, in place of a protocol's own: one line of 1 to 400 printable US-ASCII characters. The code in front
/// of it follows from the outcome and is not a part of it.
/// </summary>
public sealed record OutcomeText
{
    private const int MaxCharacters = 400;

    /// <exception cref="ArgumentException">Empty, too long, holds what is not printable US-ASCII, or begins like a reply code.</exception>
    public OutcomeText(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        if (text.Length > MaxCharacters || text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ArgumentException($"not one line of at most {MaxCharacters} printable US-ASCII characters", nameof(text));
        if (text is [>= '2' and <= '5', >= '0' and <= '9', >= '0' and <= '9', ' ' or '-', ..])
            throw new ArgumentException("begins with a reply code, which follows from the outcome and cannot be chosen", nameof(text));
        Text = text;
    }

    /// <summary>Never empty.</summary>
    public string Text { get; }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
