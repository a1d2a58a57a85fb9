namespace Postern.Smtp.Transport;

/// <summary>Which addresses MAIL and RCPT take.</summary>
public enum AddressGrammar
{
    /// <summary>
    /// Also those that exist without keeping to RFC 5321: local parts of more than 64 octets, and dots at their ends or beside each other without quotes.
    /// They go on in the same spelling.
    /// </summary>
    Lenient,

    /// <summary>Those of RFC 5321 §4.1.2 and §4.5.3.1.1 only; others are answered 501.</summary>
    Strict,
}
