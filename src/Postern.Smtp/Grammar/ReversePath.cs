namespace Postern.Smtp.Grammar;

/// <summary>
/// Where failures are reported: a mailbox, or the null path <c>&lt;&gt;</c> of a bounce (RFC 5321 §4.1.2, §4.5.5). The default
/// value is the null path.
/// </summary>
public readonly record struct ReversePath(Mailbox? Mailbox)
{
    public static ReversePath Null { get; }

    public bool IsNull => Mailbox is null;

    /// <summary>The address without angle brackets; empty for the null path.</summary>
    public string Address => Mailbox?.Address ?? string.Empty;

    public override string ToString() => $"<{Address}>";
}
