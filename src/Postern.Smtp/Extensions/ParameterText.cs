using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>
/// The parameters of MAIL and RCPT as ESMTP writes them, <c>KEYWORD=value</c> one after another: for a store that keeps them, and for the
/// next hop. Made and read by the extensions' own rows. All US-ASCII.
/// </summary>
public static class ParameterText
{
    private static readonly ImmutableArray<Parameter<MailParameters>> Mail = ExtensionTable.Merge(
        ExtensionTable.All.SelectMany(static e => e.Mail));
    private static readonly ImmutableArray<Parameter<RecipientParameters>> Rcpt = ExtensionTable.Merge(
        ExtensionTable.All.SelectMany(static e => e.Rcpt));

    /// <summary>AUTH= stands last, as most clients write it.</summary>
    private static readonly ImmutableArray<(string Offer, Parameter<MailParameters> Parameter)> MailRows =
    [
        .. ExtensionTable.All.OrderBy(static e => e == Auth.Row).SelectMany(static e => e.Mail.Select(p => (e.Keyword, p))),
    ];

    private static readonly ImmutableArray<(string Offer, Parameter<RecipientParameters> Parameter)> RcptRows =
    [
        .. ExtensionTable.All.SelectMany(static e => e.Rcpt.Select(p => (e.Keyword, p))),
    ];

    /// <summary>Everything that MAIL said; empty where it said nothing.</summary>
    public static string Of(MailParameters parameters) => Write(parameters, MailParameters.None, MailRows, isOffered: null).TrimStart();

    /// <summary>Everything that RCPT said; empty where it said nothing.</summary>
    public static string Of(RecipientParameters parameters) =>
        Write(parameters, RecipientParameters.None, RcptRows, isOffered: null).TrimStart();

    /// <summary>Reads what <see cref="Of(MailParameters)"/> wrote; false for what no extension known here can have written.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out MailParameters? parameters) =>
        TryRead(text, MailParameters.None, Mail, out parameters);

    /// <summary>Reads what <see cref="Of(RecipientParameters)"/> wrote; false for what no extension known here can have written.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out RecipientParameters? parameters) =>
        TryRead(text, RecipientParameters.None, Rcpt, out parameters);

    /// <summary>
    /// Each parameter that the peer offers, with a space before it; empty when there is none. What is not offered is left out: whether the
    /// message may go without it is for <see cref="Passage.WhyNot"/>. Values are written as they are: a caller that passes a message on
    /// reduces <see cref="MailParameters.DeliverBy"/> by the time it kept the message, and clears a <see cref="MailParameters.HoldUntil"/>
    /// that is over.
    /// </summary>
    /// <param name="isOffered">Whether the peer offers an EHLO keyword, given in upper case.</param>
    internal static string ForNextHop(MailParameters parameters, Func<string, bool> isOffered) =>
        Write(parameters, MailParameters.None, MailRows, isOffered);

    /// <summary>As for MAIL. A value that would grow over the limit of its parameter is left out.</summary>
    internal static string ForNextHop(RecipientParameters parameters, Func<string, bool> isOffered) =>
        Write(parameters, RecipientParameters.None, RcptRows, isOffered);

    /// <param name="isOffered">Null to write all.</param>
    private static string Write<T>(
        T parameters, T none, ImmutableArray<(string Offer, Parameter<T> Parameter)> rows, Func<string, bool>? isOffered)
        where T : class
    {
        if (ReferenceEquals(parameters, none))
            return string.Empty;
        StringBuilder? text = null;
        foreach (var (offer, parameter) in rows)
        {
            if (parameter.Write(parameters) is not { } value
                || (isOffered is not null && (value.Length > parameter.MostOctets || !isOffered(offer))))
                continue;
            (text ??= new StringBuilder()).Append(' ').Append(parameter.Keyword);
            if (parameter.Value is not null)
                text.Append('=').Append(value);
        }

        return text?.ToString() ?? string.Empty;
    }

    private static bool TryRead<T>(string text, T none, ImmutableArray<Parameter<T>> known, [NotNullWhen(true)] out T? parameters)
        where T : class
    {
        parameters = none;
        if (Ascii.IsValid(text) && ParameterReader.Read(session: null, Encoding.ASCII.GetBytes(text), known, ref parameters) is null)
            return true;
        parameters = null;
        return false;
    }
}
