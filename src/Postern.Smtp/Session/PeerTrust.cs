namespace Postern.Smtp.Session;

/// <summary>What a peer may say of others, by its address.</summary>
[Flags]
internal enum PeerTrust
{
    None = 0,

    /// <summary>It may use XCLIENT.</summary>
    XClient = 1,

    /// <summary>It may use XFORWARD.</summary>
    XForward = 2,
}
