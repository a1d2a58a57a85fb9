using Postern.Smtp.Message;

namespace Postern.Relay.Runtime;

/// <summary>What is to be known of a message's header section before it is stored.</summary>
/// <param name="Hops">Received fields: how many servers it has come through.</param>
/// <param name="HasDate">A Date field is there.</param>
/// <param name="HasMessageId">A Message-ID field is there.</param>
/// <param name="Forged">Where the Authentication-Results fields stand that claim to come from this host.</param>
internal readonly record struct HeaderReview(int Hops, bool HasDate, bool HasMessageId, IReadOnlyList<Range> Forged)
{
    public static HeaderReview Of(ReadOnlySpan<byte> section, string authservId)
    {
        var (hops, hasDate, hasMessageId) = (0, false, false);
        List<Range>? forged = null;
        var fields = new HeaderSection(section);
        while (fields.TryNext())
        {
            if (fields.Is("Received"))
                hops++;
            else if (fields.Is("Date"))
                hasDate = true;
            else if (fields.Is("Message-ID"))
                hasMessageId = true;
            else if (fields.Is(AuthenticationResultsField.Name) && AuthenticationResultsField.Claims(fields.Body, authservId))
                (forged ??= []).Add(fields.Start..fields.End);
        }

        return new HeaderReview(hops, hasDate, hasMessageId, forged ?? (IReadOnlyList<Range>)[]);
    }
}
