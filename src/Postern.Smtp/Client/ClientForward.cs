namespace Postern.Smtp.Client;

/// <summary>How a server of one's own is told whose mail it is given.</summary>
public enum ClientForward
{
    /// <summary>Not at all: the mail is this machine's to it.</summary>
    None,

    /// <summary>
    /// By Postfix's XCLIENT before a message whose client is another than that of the message before: the server judges it as if the client
    /// had connected. Where it does not take the command, nothing is sent.
    /// </summary>
    XClient,

    /// <summary>
    /// By Postfix's XFORWARD before each message, for its log alone. Where it does not take the command, mail goes without.
    /// </summary>
    XForward,

    /// <summary>
    /// By a header of the PROXY protocol, version 1, in clear before everything else: each client has connections of its own.
    /// </summary>
    Proxy,

    /// <summary>The same in version 2.</summary>
    ProxyV2,
}
