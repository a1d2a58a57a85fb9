namespace Postern.Smtp.Message;

/// <summary>How the content of a message ended.</summary>
internal enum DataEnd
{
    /// <summary>CRLF.CRLF, and all before it was in order.</summary>
    Complete,

    /// <summary>Too large; the rest was read and thrown away up to CRLF.CRLF.</summary>
    TooBig,

    /// <summary>Too large, and no end in sight: the connection has to go.</summary>
    Endless,

    /// <summary>A bare CR or LF was in it; read to CRLF.CRLF and thrown away.</summary>
    BareLineEnd,

    /// <summary>A NUL was in it; the same.</summary>
    Nul,

    /// <summary>The client left in the middle.</summary>
    Closed,
}
