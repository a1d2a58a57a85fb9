using System.Collections.Frozen;
using System.Globalization;
using Postern.Relay.Delivery.Bounces;

namespace Postern.Web.Pages;

/// <summary>
/// What the reply of a next hop means, in plain words for an operator. The enhanced status code decides (RFC 3463, RFC 7372 and the IANA
/// registry), then the category; of what may pass, the category first.
/// </summary>
internal static class ReplyHints
{
    private static readonly FrozenDictionary<string, string> ByStatus = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["1.1"] = "There is no such mailbox there. Look for a mistake in the address.",
        ["1.2"] = "There is no such domain there, or it takes no mail.",
        ["1.3"] = "The next hop takes this for no address.",
        ["1.6"] = "The mailbox has moved, and nobody says where to.",
        ["1.10"] = "The domain says that it takes no mail at all (null MX).",
        ["2.1"] = "The mailbox is switched off, or takes no mail for now.",
        ["2.2"] = "The mailbox is full: its owner has to make room.",
        ["2.3"] = "The message is larger than that mailbox takes.",
        ["3.2"] = "That server takes no mail for the moment.",
        ["3.4"] = "The message is larger than that server takes.",
        ["4.4"] = "That server does not know where to send it on.",
        ["4.5"] = "That server is overloaded.",
        ["4.6"] = "That server says the message goes round in circles.",
        ["5.2"] = "That server did not understand what it was told: see the dialogue.",
        ["5.3"] = "Too many recipients for that server at once.",
        ["7.0"] = "That server's rules are against it, and it does not say which.",
        ["7.1"] = "That server does not permit it. For 450 it is often greylisting: it goes at the next try.",
        ["7.8"] = "The login at the next hop was refused: look at the credential of the route.",
        ["7.9"] = "The next hop takes another mechanism for the login.",
        ["7.10"] = "The next hop wants TLS.",
        ["7.20"] = "No DKIM signature of the message counted: see the domain's page.",
        ["7.21"] = "No DKIM signature of the author's domain counted: see the domain's page.",
        ["7.22"] = "A DKIM signature was made by somebody whom that server does not trust.",
        ["7.23"] = "SPF does not list the address that this server sends from.",
        ["7.24"] = "SPF could not be looked up: the record is wrong, or DNS did not answer.",
        ["7.25"] = "The address that this server sends from has no PTR record that leads back to it.",
        ["7.26"] = "Neither SPF nor DKIM proves the sender's domain: see the domain's page.",
        ["7.27"] = "The sender's domain takes no mail (null MX), so its mail is not taken.",
        ["7.28"] = "That server says there is too much mail from here.",
        ["7.29"] = "An ARC seal on the way is broken.",
        ["7.30"] = "That server wants REQUIRETLS.",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <param name="status">The enhanced status code, such as 5.7.26; null without.</param>
    /// <param name="domain">Of the recipient.</param>
    /// <returns>Null where there is nothing to say.</returns>
    public static string? Of(string? status, string? category, string domain) =>
        status is ['5', '.', ..] ? ByStatus.GetValueOrDefault(status[2..]) ?? OfCategory(category, domain)
        : status is ['4', '.', ..] ? OfCategory(category, domain) ?? ByStatus.GetValueOrDefault(status[2..])
        : OfCategory(category, domain);

    private static string? OfCategory(string? category, string domain) =>
        category is not null && BounceCategory.Find(category) is { } known
            ? string.Format(CultureInfo.InvariantCulture, known.Sentence, domain)
            : null;
}
