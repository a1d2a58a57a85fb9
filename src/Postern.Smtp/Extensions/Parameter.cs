namespace Postern.Smtp.Extensions;

/// <summary>One parameter of MAIL or RCPT.</summary>
/// <param name="Keyword">Upper case.</param>
/// <param name="Value">The form of its value for HELP and errors, such as <c>octets</c>; null for a parameter that takes none.</param>
internal sealed record Parameter<T>(string Keyword, string? Value, ReadParameter<T> Read)
{
    public string Syntax => Value is null ? Keyword : $"{Keyword}={Value}";
}
