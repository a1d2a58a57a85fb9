using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>A message that is to go to a server, and what that server offers.</summary>
/// <param name="Length">Of the content, in octets.</param>
/// <param name="HasUtf8Header">The header section holds UTF-8 (RFC 6532).</param>
internal readonly record struct Passage(SmtpEnvelope Envelope, long Length, bool HasUtf8Header)
{
    private static readonly Extension[] Judges = [.. ExtensionTable.All.Where(static e => e.WhyNot is not null)];

    /// <summary>Whether the server offers an EHLO keyword.</summary>
    public required Func<string, bool> Offers { get; init; }

    /// <summary>In octets; null when it states none.</summary>
    public long? MostOctets { get; init; }

    /// <summary>TLS is on and the server's certificate proved its name.</summary>
    public bool IsVerified { get; init; }

    /// <summary>8-bit content is not sent as it is to a server without 8BITMIME.</summary>
    public bool Needs8BitMime { get; init; }

    /// <summary>The first objection of any extension; null when the message may go.</summary>
    public Reply? WhyNot()
    {
        foreach (var extension in Judges)
        {
            if (extension.WhyNot!(this) is { } objection)
                return objection;
        }

        return null;
    }
}
