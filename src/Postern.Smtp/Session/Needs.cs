namespace Postern.Smtp.Session;

/// <summary>What a verb needs besides its phase; checked once, for all verbs.</summary>
[Flags]
internal enum Needs
{
    None = 0,

    /// <summary>TLS, on a listener that requires it (RFC 3207 §4).</summary>
    TlsWhereRequired = 1,

    /// <summary>No argument (RFC 5321 §4.1.1).</summary>
    NoArgument = 2,

    Argument = 4,

    /// <summary>No input behind it, or the connection ends: it came in clear and would be taken for protected (RFC 3207 §6).</summary>
    NothingBehind = 8,

    /// <summary>
    /// When it is refused with input behind it, the connection ends: that input is content and must not be read as commands
    /// (RFC 2920 §3.1 makes such a command the last of its group).
    /// </summary>
    ContentBehind = 16,

    /// <summary>Room on the server for one more message.</summary>
    Room = 32,

    /// <summary>
    /// A chunk follows whose size is the argument. When the verb is refused the chunk is read and thrown away before the reply; where its size
    /// cannot be known the connection ends (RFC 3030 §2).
    /// </summary>
    ChunkBehind = 64,
}
