namespace Postern.Testing.Sinks;

/// <summary>Where a <see cref="ScriptedSink"/> can be told to misbehave.</summary>
public enum SinkPhase
{
    Connect,
    Ehlo,
    Helo,
    StartTls,

    /// <summary>The TLS handshake behind a STARTTLS that was granted.</summary>
    Handshake,

    /// <summary>The AUTH command.</summary>
    Auth,

    /// <summary>A line behind a 334.</summary>
    AuthResponse,

    /// <summary>XCLIENT or XFORWARD.</summary>
    Client,
    Mail,
    Rcpt,
    Data,

    /// <summary>The first octets of the content have come.</summary>
    Content,
    EndOfData,

    /// <summary>A BDAT whose chunk has come.</summary>
    Chunk,
    Reset,
    Quit,
}
