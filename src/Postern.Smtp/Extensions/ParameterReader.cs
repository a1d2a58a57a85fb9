using System.Collections.Immutable;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Extensions;

/// <summary>
/// Reads the parameters of MAIL and RCPT against those on offer (RFC 5321 §4.1.1.11): each known, each once, each well formed.
/// </summary>
internal static class ParameterReader
{
    public static Reply? Read<T>(ISessionFacts? session, ReadOnlySpan<byte> text, ImmutableArray<Parameter<T>> offered, ref T result)
    {
        if (text.IsEmpty)
            return null;
        if (session is { State.IsExtended: false })
            return StandardReply.UnknownParameter;
        var seen = 0u;
        var parameters = new EsmtpParameters(text);
        while (parameters.TryNext())
        {
            var index = Find(offered, parameters);
            if (index < 0)
                return StandardReply.UnknownParameter;
            var isWhole = offered[index].IsValueOptional || parameters.HasValue == offered[index].Value is not null;
            if ((seen & (1u << index)) != 0 || !isWhole)
                return StandardReply.BadParameters;
            seen |= 1u << index;
            if (offered[index].Read(session, parameters.Value, ref result) is { } objection)
                return objection;
        }

        return parameters.IsMalformed ? StandardReply.BadParameters : null;
    }

    private static int Find<T>(ImmutableArray<Parameter<T>> offered, in EsmtpParameters parameters)
    {
        for (var i = 0; i < offered.Length; i++)
        {
            if (parameters.Is(offered[i].Keyword))
                return i;
        }

        return -1;
    }
}
