namespace Postern.Relay.Spool;

/// <summary>The delays of a message that its sender has been told of, each once.</summary>
[Flags]
public enum DelayReports
{
    None = 0,

    /// <summary>It has waited for longer than <c>delivery.retry.warn</c>.</summary>
    Late = 1,

    /// <summary>The time that the sender gave it has passed (RFC 2852 §4.1.4).</summary>
    Overdue = 2,
}
