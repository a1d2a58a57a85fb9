using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>What a server must offer to be given a message: what is known to be refused, or would break a promise, is not sent.</summary>
internal static class Prerequisites
{
    /// <param name="isVerified">TLS is on and the server's certificate proved its name.</param>
    public static ClientAnswer.Refused? WhyNot(OutgoingMessage message, SmtpExtensions offered, bool isVerified, EightBitFallback eightBit)
    {
        // RFC 1870 §6.1.
        if (offered.MaxSize is { } max && message.Content.Length > max)
            return Refused(552, new(5, 3, 4), $"Message of {message.Content.Length} octets, the next hop takes {max}");
        if (message.Is8Bit && !offered.Has8BitMime && eightBit == EightBitFallback.Refuse)
            return Refused(554, new(5, 6, 3), "8-bit content, the next hop does not offer 8BITMIME");
        // Binary content has no lines, so DATA would change it (RFC 3030 §3).
        if (message.IsBinary && !(offered.Has("CHUNKING") && offered.Has("BINARYMIME")))
            return Refused(554, new(5, 6, 3), "Binary content, the next hop does not offer CHUNKING and BINARYMIME");
        // RFC 8689 §4.2.1: never in clear, never to a server that may pass it on in clear.
        if (message.Parameters.RequiresTls && !isVerified)
            return Refused(550, new(5, 7, 30), "REQUIRETLS: the connection to the next hop has no TLS with a verified certificate");
        if (message.Parameters.RequiresTls && !offered.Has("REQUIRETLS"))
            return Refused(550, new(5, 7, 30), "REQUIRETLS: the next hop does not offer it");
        // RFC 2852 §4.1.5: the server would keep trying when nobody wants the message any more.
        if (message.Parameters.DeliverBy is { IsNotify: false } && !offered.Has("DELIVERBY"))
            return Refused(550, new(5, 3, 3), "BY with mode R: the next hop does not offer DELIVERBY");
        // RFC 6531 §3.2.
        if (!offered.Has("SMTPUTF8") && message.NeedsUtf8)
            return Refused(550, new(5, 6, 7), "Internationalized address or header, the next hop does not offer SMTPUTF8");
        return null;
    }

    private static ClientAnswer.Refused Refused(int code, EnhancedStatus status, string text) => new(ClientPhase.Mail, new Reply(code, status, text)) { IsForeseen = true };
}
