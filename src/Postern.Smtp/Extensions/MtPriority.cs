using System.Globalization;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>
/// MT-PRIORITY (RFC 6710): how urgent a message is, from -9 to 9. Offered only where the store delivers what is urgent first.
/// </summary>
internal static class MtPriority
{
    private const string Keyword = "MT-PRIORITY";
    private const int Most = 9;

    public static readonly Extension Row = new(Keyword, static offer => offer.Honours(StoreFeatures.Priority) ? Keyword : null)
    {
        Mail = [new(Keyword, "-9..9", Read, static said => said.Others[Keyword])],
    };

    /// <summary>A sign, if any, and one digit (§4.1). Which priorities a client may use is for the policy (§4.1, item 5).</summary>
    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority)
            || priority is < -Most or > Most
            || value.Length > 2)
            return StandardReply.BadParameters;
        parameters = parameters with { Others = parameters.Others.With(Keyword, priority.ToString(CultureInfo.InvariantCulture)) };
        return null;
    }
}
