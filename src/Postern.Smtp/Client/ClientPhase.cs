namespace Postern.Smtp.Client;

/// <summary>Where in the dialogue the client stood.</summary>
public enum ClientPhase
{
    /// <summary>Before anything was said.</summary>
    Greeting,

    /// <summary>EHLO or HELO; also QUIT.</summary>
    Ehlo,

    /// <summary>STARTTLS and the handshake.</summary>
    StartTls,

    /// <summary>AUTH, up to its final reply.</summary>
    Auth,

    /// <summary>XCLIENT or XFORWARD, and the EHLO behind it.</summary>
    Client,

    /// <summary>MAIL.</summary>
    Mail,

    /// <summary>RCPT.</summary>
    Rcpt,

    /// <summary>DATA, up to 354.</summary>
    Data,

    /// <summary>Sending the content, before its end mark was written.</summary>
    Content,

    /// <summary>Waiting for the reply to the end mark. A connection lost here may have delivered (RFC 1047).</summary>
    EndOfData,
}
