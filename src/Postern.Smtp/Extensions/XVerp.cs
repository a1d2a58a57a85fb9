using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>
/// XVERP, Postfix's: <c>MAIL FROM:&lt;list@example.org&gt; XVERP</c> or <c>XVERP=+=</c>. To the clients that may use it: one message then
/// takes a transaction for each of its recipients.
/// </summary>
internal static class XVerp
{
    private const string Keyword = EsmtpParameters.WithSigns;

    public static readonly Extension Row = new(Keyword, static offer => offer.Trust.HasFlag(PeerTrust.XVerp) ? Keyword : null)
    {
        Mail = [new(Keyword, "delimiters", Read, static said => said.Verp?.ToString()) { IsValueOptional = true }],
    };

    /// <summary>A report is sent to nobody, and nobody gets a report about it (as Postfix has it).</summary>
    public static Reply? WhyNot(Mailbox? sender, MailParameters parameters) =>
        sender is null && parameters.Verp is not null ? StandardReply.VerpOfNobody : null;

    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        var delimiters = value.IsEmpty ? VerpDelimiters.Usual : VerpDelimiters.Read(Encoding.Latin1.GetString(value));
        if (delimiters is null)
            return StandardReply.BadVerpDelimiters;
        parameters = parameters with { Verp = delimiters };
        return null;
    }
}
