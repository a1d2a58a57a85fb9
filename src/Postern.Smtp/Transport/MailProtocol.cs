namespace Postern.Smtp.Transport;

/// <summary>The protocol of a listener.</summary>
public enum MailProtocol
{
    /// <summary>RFC 5321.</summary>
    Smtp,

    /// <summary>RFC 2033: LHLO for EHLO, and at the end of data one reply for each recipient.</summary>
    Lmtp,
}
