namespace Postern.Smtp.Session;

/// <summary>Who reads next, once the reply to a command is queued.</summary>
internal enum After
{
    ReadCommand,

    /// <summary>The content, up to the lone dot.</summary>
    ReceiveMessage,

    /// <summary>The chunk of BDAT; the command's reply comes behind it.</summary>
    ReceiveChunk,

    /// <summary>The SASL dialogue; it brings the command's one final reply.</summary>
    RunSasl,

    /// <summary>A TLS handshake; then everything starts over.</summary>
    StartTls,

    Close,
}
