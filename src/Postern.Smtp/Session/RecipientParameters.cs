namespace Postern.Smtp.Session;

/// <summary>What RCPT said beside the forward-path.</summary>
public sealed record RecipientParameters
{
    /// <summary>RCPT without parameters.</summary>
    public static RecipientParameters None { get; } = new();

    /// <summary>NOTIFY= (RFC 3461 §4.1).</summary>
    public DsnNotify Notify { get; init; }

    /// <summary>ORCPT= (RFC 3461 §4.2); null when absent.</summary>
    public OriginalRecipient? OriginalRecipient { get; init; }

    /// <summary>What extensions brought that have no property here.</summary>
    public ParameterValues Others { get; init; } = ParameterValues.None;
}
