namespace Postern.Relay.Policy;

/// <summary>
/// The question at which a list of rules is asked. Flags, so that a rule can name several. Client, helo and sender are asked together at
/// MAIL, in this order: as with Postfix's <c>smtpd_delay_reject</c>, a client that is refused when it is greeted would not know what it is
/// refused for, and neither would the log; and who logs in is known then.
/// </summary>
[Flags]
public enum RuleStage
{
    /// <summary>MAIL, behind client and helo. The end of the list passes: recipients decide.</summary>
    Sender = 1,

    /// <summary>RCPT. The end of the list refuses.</summary>
    Recipient = 2,

    /// <summary>MAIL, first. The end of the list passes.</summary>
    Client = 4,

    /// <summary>MAIL, second. The end of the list passes.</summary>
    Helo = 8,

    /// <summary>The header section is whole; the answer comes in the place of 250. The end of the list passes.</summary>
    Message = 16,
}
