namespace Postern.Smtp.Session;

/// <summary>RET=: how much of the message a failure report should carry (RFC 3461 §4.3).</summary>
public enum DsnReturn
{
    /// <summary>The client did not say: the reporting server decides.</summary>
    Unspecified,

    /// <summary>RET=FULL.</summary>
    Full,

    /// <summary>RET=HDRS.</summary>
    Headers,
}
