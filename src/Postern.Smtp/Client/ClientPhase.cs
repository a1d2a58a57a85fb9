namespace Postern.Smtp.Client;

/// <summary>Where in the dialogue the client stood.</summary>
public enum ClientPhase
{
    Greeting,
    Ehlo,
    StartTls,
    Mail,
    Rcpt,
    Data,

    /// <summary>Sending the content, before its end mark was written.</summary>
    Content,

    /// <summary>Waiting for the reply to the end mark. A connection lost here may have delivered (RFC 1047).</summary>
    EndOfData,
}
