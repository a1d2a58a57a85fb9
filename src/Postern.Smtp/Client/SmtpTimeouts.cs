namespace Postern.Smtp.Client;

/// <summary>How long the client waits in each phase; the defaults are the minima of RFC 5321 §4.5.3.2.</summary>
public sealed record SmtpTimeouts
{
    /// <summary>The waits that RFC 5321 §4.5.3.2 asks for at least.</summary>
    public static SmtpTimeouts Default { get; } = new();

    /// <summary>For whoever opens the socket: the dialogue begins on a connected stream.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For the greeting, 220.</summary>
    public TimeSpan Greeting { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>EHLO, HELO, STARTTLS, RSET, and each answer of an AUTH exchange.</summary>
    public TimeSpan Command { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For a TLS handshake.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>For the answer to MAIL.</summary>
    public TimeSpan Mail { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For the answer to RCPT.</summary>
    public TimeSpan Rcpt { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For the answer to DATA, 354.</summary>
    public TimeSpan Data { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>For each block of content to be taken.</summary>
    public TimeSpan DataBlock { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>From the end mark to its reply. Shorter means duplicates: the server may have delivered already (RFC 1047).</summary>
    public TimeSpan EndOfData { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// From MAIL to the last answer, without the time that the content takes. Behind the end mark there is always
    /// <see cref="EndOfData"/> left.
    /// </summary>
    public TimeSpan Transaction { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// Octets a second that content must be taken at, beside <see cref="DataBlock"/> for it to begin with: a server that takes one octet
    /// now and then would hold the connection for days.
    /// </summary>
    public long MinimumRate { get; init; } = 500;

    /// <summary>For the answer to QUIT, which changes nothing.</summary>
    public TimeSpan Quit { get; init; } = TimeSpan.FromSeconds(2);
}
