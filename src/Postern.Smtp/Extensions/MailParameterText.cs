using System.Globalization;
using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>The parameters of MAIL as a client writes them: the other side of the Read functions in this folder.</summary>
internal static class MailParameterText
{
    /// <summary>
    /// Each parameter that the peer offers, with a space before it; empty when there is none. What is not offered is left out: whether the
    /// message may go without it is the caller's decision. Values are written as they are: a caller that passes a message on reduces
    /// <see cref="MailParameters.DeliverBy"/> by the time it kept the message, and clears a <see cref="MailParameters.HoldUntil"/> that is over.
    /// </summary>
    /// <param name="isOffered">Whether the peer offers an EHLO keyword, given in upper case.</param>
    public static string Of(MailParameters parameters, Func<string, bool> isOffered)
    {
        if (parameters == MailParameters.None)
            return string.Empty;
        var text = new StringBuilder();
        if (parameters.DeclaredSize is { } size && isOffered("SIZE"))
            text.Append(CultureInfo.InvariantCulture, $" SIZE={size}");
        AppendBody(text, parameters.Body, isOffered);
        if (parameters.IsUtf8 && isOffered("SMTPUTF8"))
            text.Append(" SMTPUTF8");
        if (isOffered("DSN"))
            AppendDsn(text, parameters);
        if (parameters.SubmittedBy is { } submitter && isOffered("AUTH"))
            text.Append(" AUTH=").Append(submitter.IsNull || !XText.IsEncodable(submitter.Address) ? "<>" : XText.Encode(submitter.Address));
        if (parameters.RequiresTls && isOffered("REQUIRETLS"))
            text.Append(" REQUIRETLS");
        if (parameters.DeliverBy is { } by && isOffered("DELIVERBY"))
            text.Append(CultureInfo.InvariantCulture, $" BY={Math.Floor(by.Within.TotalSeconds):F0};{(by.IsNotify ? 'N' : 'R')}{(by.IsTrace ? "T" : null)}");
        if (parameters.HoldUntil is { } until && isOffered("FUTURERELEASE"))
            text.Append(CultureInfo.InvariantCulture, $" HOLDUNTIL={until.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'}");
        return text.ToString();
    }

    private static void AppendBody(StringBuilder text, BodyType body, Func<string, bool> isOffered)
    {
        if (body == BodyType.EightBitMime && isOffered("8BITMIME"))
            text.Append(" BODY=8BITMIME");
        else if (body == BodyType.BinaryMime && isOffered("BINARYMIME"))
            text.Append(" BODY=BINARYMIME");
    }

    private static void AppendDsn(StringBuilder text, MailParameters parameters)
    {
        if (parameters.Return != DsnReturn.Unspecified)
            text.Append(parameters.Return == DsnReturn.Full ? " RET=FULL" : " RET=HDRS");
        if (parameters.EnvelopeId is { } id)
            text.Append(" ENVID=").Append(XText.Encode(id));
    }
}
