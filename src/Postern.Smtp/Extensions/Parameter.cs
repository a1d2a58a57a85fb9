using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>One parameter of MAIL or RCPT: how it is read, and how it is written for a store and for the next hop.</summary>
/// <param name="Keyword">Upper case.</param>
/// <param name="Value">The form of its value for HELP and errors, such as <c>octets</c>; null for a parameter that takes none.</param>
/// <param name="Write">
/// Its value as <paramref name="Read"/> takes it, all US-ASCII; empty for a parameter that takes none; null where it was not said.
/// </param>
internal sealed record Parameter<T>(string Keyword, string? Value, ReadParameter<T> Read, Func<T, string?> Write)
{
    /// <summary>A longer value is kept, and not said to the next hop.</summary>
    public int MostOctets { get; init; } = int.MaxValue;

    /// <summary>It may be said without its value.</summary>
    public bool IsValueOptional { get; init; }

    public string Syntax => Value is null ? Keyword : IsValueOptional ? $"{Keyword}[={Value}]" : $"{Keyword}={Value}";

    /// <summary>Two extensions that bring values to the same parameter: what one does not take, the other may.</summary>
    public Parameter<T> Or(Parameter<T> other)
    {
        return new Parameter<T>(Keyword, $"{Value}|{other.Value}", ReadEither, parameters => Write(parameters) ?? other.Write(parameters));

        Reply? ReadEither(ISessionFacts? session, ReadOnlySpan<byte> value, ref T result) =>
            Read(session, value, ref result) is null ? null : other.Read(session, value, ref result);
    }
}

/// <summary>
/// Reads the value of one parameter into <paramref name="parameters"/>; the value is empty where there was no <c>=</c>. Answers an
/// objection, or null. Called at most once a command for each keyword.
/// </summary>
/// <param name="session">Null where it is read back from a store: what this server had to say to it was said when it came.</param>
internal delegate Reply? ReadParameter<T>(ISessionFacts? session, ReadOnlySpan<byte> value, ref T parameters);

/// <summary>What a parameter may ask of the session in which it is said.</summary>
internal interface ISessionFacts
{
    SessionState State { get; }

    SmtpServerOptions Server { get; }

    /// <summary>Those in force now.</summary>
    SessionLimits Limits { get; }
}
