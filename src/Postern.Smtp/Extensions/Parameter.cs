using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Extensions;

/// <summary>One parameter of MAIL or RCPT.</summary>
/// <param name="Keyword">Upper case.</param>
/// <param name="Value">The form of its value for HELP and errors, such as <c>octets</c>; null for a parameter that takes none.</param>
internal sealed record Parameter<T>(string Keyword, string? Value, ReadParameter<T> Read)
{
    public string Syntax => Value is null ? Keyword : $"{Keyword}={Value}";

    /// <summary>Two extensions that bring values to the same parameter: what one does not take, the other may.</summary>
    public Parameter<T> Or(Parameter<T> other)
    {
        return new Parameter<T>(Keyword, $"{Value}|{other.Value}", ReadEither);

        Reply? ReadEither(SmtpSession session, ReadOnlySpan<byte> value, ref T result) =>
            Read(session, value, ref result) is null ? null : other.Read(session, value, ref result);
    }
}
