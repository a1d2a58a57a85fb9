namespace Postern.Smtp.Session;

/// <summary>
/// The position in the dialogue, nothing else: TLS, identity and limits are facts beside it. Flags, so that a verb can name several.
/// </summary>
[Flags]
public enum Phase
{
    /// <summary>Greeted; no EHLO or HELO yet, or STARTTLS made it void.</summary>
    Connected = 1,

    /// <summary>EHLO or HELO done, no transaction.</summary>
    Ready = 2,

    /// <summary>MAIL accepted.</summary>
    Mail = 4,

    /// <summary>At least one RCPT accepted.</summary>
    Rcpt = 8,

    /// <summary>A first BDAT was read, taken or not; LAST has not come yet.</summary>
    Bdat = 16,

    /// <summary>Every phase.</summary>
    Any = Connected | Ready | Mail | Rcpt | Bdat,
}
