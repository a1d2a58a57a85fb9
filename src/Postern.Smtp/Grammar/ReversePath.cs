namespace Postern.Smtp.Grammar;

/// <summary>
/// Where failures are reported: a mailbox, or the null path <c>&lt;&gt;</c> of a bounce (RFC 5321 §4.1.2, §4.5.5). The default
/// value is the null path.
/// </summary>
public readonly record struct ReversePath(Mailbox? Mailbox)
{
    /// <summary><c>&lt;&gt;</c>.</summary>
    public static ReversePath Null { get; }

    /// <summary>True for a bounce, which nobody wants bounced again.</summary>
    public bool IsNull => Mailbox is null;

    /// <summary>The address without angle brackets; empty for the null path.</summary>
    public string Address => Mailbox?.Address ?? string.Empty;

    /// <summary>With angle brackets, as on the wire.</summary>
    public override string ToString() => $"<{Address}>";
}
