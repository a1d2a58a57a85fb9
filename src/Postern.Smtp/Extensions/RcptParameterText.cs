using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>The parameters of RCPT as a client writes them: the other side of the Read functions in this folder.</summary>
internal static class RcptParameterText
{
    /// <summary>
    /// Each parameter that the peer offers, with a space before it; empty when there is none. All US-ASCII: an internationalized ORCPT goes in
    /// the form that any server with DSN takes (RFC 6533 §3). An ORCPT that would grow over the limit of RFC 3461 §4.2 is left out.
    /// </summary>
    /// <param name="isOffered">Whether the peer offers an EHLO keyword, given in upper case.</param>
    public static string Of(RecipientParameters parameters, Func<string, bool> isOffered)
    {
        if (parameters == RecipientParameters.None || !isOffered("DSN"))
            return string.Empty;
        var text = new StringBuilder();
        if (parameters.Notify != DsnNotify.Unspecified)
            text.Append(" NOTIFY=").Append(Words(parameters.Notify));
        if (parameters.OriginalRecipient is { } original && Value(original) is { Length: <= OriginalRecipient.MaxOctets } value)
            text.Append(" ORCPT=").Append(value);
        return text.ToString();
    }

    private static string Words(DsnNotify notify) => notify switch
    {
        DsnNotify.Never => "NEVER",
        DsnNotify.Success => "SUCCESS",
        DsnNotify.Failure => "FAILURE",
        DsnNotify.Delay => "DELAY",
        DsnNotify.Success | DsnNotify.Failure => "SUCCESS,FAILURE",
        DsnNotify.Success | DsnNotify.Delay => "SUCCESS,DELAY",
        DsnNotify.Failure | DsnNotify.Delay => "FAILURE,DELAY",
        DsnNotify.Success | DsnNotify.Failure | DsnNotify.Delay => "SUCCESS,FAILURE,DELAY",
        _ => "NEVER", // NEVER stands alone (RFC 3461 §4.1): with it, nothing else counts
    };

    private static string Value(OriginalRecipient original) =>
        $"{original.Type};{(original.IsUtf8 ? Utf8XText.Encode(original.Address) : XText.Encode(original.Address))}";
}
