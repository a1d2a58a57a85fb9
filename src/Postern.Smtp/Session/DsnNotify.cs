namespace Postern.Smtp.Session;

/// <summary>NOTIFY=: when the sender wants to hear about a recipient (RFC 3461 §4.1).</summary>
[Flags]
public enum DsnNotify
{
    /// <summary>The client did not say: failures are reported, delays may be.</summary>
    Unspecified = 0,

    /// <summary>NOTIFY=NEVER; alone.</summary>
    Never = 1,

    Success = 2,
    Failure = 4,
    Delay = 8,
}
