namespace Postern.Smtp.Session;

/// <summary>The bounds of one session. Every one is finite; there is no value for "unlimited".</summary>
public sealed record SessionLimits
{
    /// <summary>
    /// Octets of a command line, CRLF included, at most 16384. RFC 5321 §4.5.3.1.4 asks for 512; extensions and long initial responses need
    /// more.
    /// </summary>
    public int CommandOctets { get; init; } = 2048;

    /// <summary>Octets of an AUTH command or a SASL response, CRLF included, at most 16384 (RFC 4954 §4).</summary>
    public int SaslOctets { get; init; } = 12_288;

    /// <summary>Octets of a message's content; also what SIZE announces (RFC 1870).</summary>
    public long MessageOctets { get; init; } = 50_000_000;

    /// <summary>Recipients of one transaction; at least 100 (RFC 5321 §4.5.3.1.8).</summary>
    public int Recipients { get; init; } = 1000;

    /// <summary>How long to wait for a whole command (RFC 5321 §4.5.3.2.7 asks for 5 minutes).</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a session may last since its start or its last stored message, however busy it is; content under way may finish. A client
    /// that pools connections makes a new one.
    /// </summary>
    public TimeSpan WithoutMessage { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long to wait for the next part of the content (RFC 5321 §4.5.3.2.5).</summary>
    public TimeSpan DataBlock { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>
    /// Octets of content a second, on average and after a first <see cref="DataBlock"/>: a client that only keeps its place is slower.
    /// </summary>
    public int DataOctetsPerSecond { get; init; } = 500;

    /// <summary>How long a TLS handshake may take.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a load balancer's PROXY header may take.</summary>
    public TimeSpan ProxyHeader { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Failed logins before the connection is closed with 421; at least 3 (RFC 4954 §9).</summary>
    public int FailedLogins { get; init; } = 5;

    /// <summary>Commands answered with a syntax or sequence error before the connection is closed with 421.</summary>
    public int BadCommands { get; init; } = 20;

    /// <summary>
    /// Refusals of any kind since the last stored message before the connection is closed with 421; recipients over
    /// <see cref="Recipients"/> are not counted, for a client may send them in one group. Each refusal by policy is a record in the audit
    /// log.
    /// </summary>
    public int Refusals { get; init; } = 100;

    /// <summary>
    /// Commands since the last stored message, beside those for <see cref="Recipients"/>, before the connection is closed with 421.
    /// </summary>
    public int CommandsPerMessage { get; init; } = 5000;
}
