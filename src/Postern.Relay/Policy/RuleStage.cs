namespace Postern.Relay.Policy;

/// <summary>The command at which a list of rules is asked. Flags, so that a rule can name several.</summary>
[Flags]
public enum RuleStage
{
    /// <summary>MAIL. The end of the list passes: recipients decide.</summary>
    Sender = 1,

    /// <summary>RCPT. The end of the list refuses.</summary>
    Recipient = 2,
}
