using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>One accepted RCPT.</summary>
public sealed record Recipient(Mailbox Mailbox, RecipientParameters Parameters)
{
    /// <summary>The address.</summary>
    public override string ToString() => Mailbox.Address;
}

/// <summary>NOTIFY=: when the sender wants to hear about a recipient (RFC 3461 §4.1).</summary>
[Flags]
public enum DsnNotify
{
    /// <summary>The client did not say: failures are reported, delays may be.</summary>
    Unspecified = 0,

    /// <summary>NOTIFY=NEVER; alone.</summary>
    Never = 1,

    /// <summary>When it was delivered.</summary>
    Success = 2,

    /// <summary>When it could not be delivered.</summary>
    Failure = 4,

    /// <summary>When it takes long.</summary>
    Delay = 8,
}

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
