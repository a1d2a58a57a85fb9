using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>What MAIL said beside the reverse-path. Nothing in it is trusted because the client said it.</summary>
public sealed record MailParameters
{
    /// <summary>MAIL without parameters.</summary>
    public static MailParameters None { get; } = new();

    /// <summary>
    /// MAIL with BODY=8BITMIME and nothing else: with <see cref="None"/>, what nearly every message has. One object for all.
    /// </summary>
    public static MailParameters EightBit { get; } = new() { Body = BodyType.EightBitMime };

    /// <summary>SIZE=, in octets (RFC 1870); null when the client did not say.</summary>
    public long? DeclaredSize { get; init; }

    /// <summary>BODY= (RFC 6152, RFC 3030).</summary>
    public BodyType Body { get; init; }

    /// <summary>SMTPUTF8 (RFC 6531 §3.4): addresses and header fields may hold UTF-8.</summary>
    public bool IsUtf8 { get; init; }

    /// <summary>RET= (RFC 3461 §4.3).</summary>
    public DsnReturn Return { get; init; }

    /// <summary>ENVID=, decoded from xtext (RFC 3461 §4.4); printable US-ASCII; null when absent.</summary>
    /// <exception cref="FormatException">Set to something that is not.</exception>
    public string? EnvelopeId
    {
        get;
        init =>
            field = value is null || XText.IsEncodable(value)
                ? value
                : throw new FormatException("An envelope id is printable US-ASCII (RFC 3461 §4.4)");
    }

    /// <summary>
    /// AUTH= (RFC 4954 §5): who submitted the message, as the client claims; the null path where it said &lt;&gt;; null when absent.
    /// </summary>
    public ReversePath? SubmittedBy { get; init; }

    /// <summary>REQUIRETLS (RFC 8689): the message goes over verified TLS only, on every hop.</summary>
    public bool RequiresTls { get; init; }

    /// <summary>BY= (RFC 2852); null when absent.</summary>
    public DeliverBy? DeliverBy { get; init; }

    /// <summary>HOLDFOR= or HOLDUNTIL= (RFC 4865): not delivered before it; null when absent.</summary>
    public DateTimeOffset? HoldUntil { get; init; }

    /// <summary>HOLDFOR= as it was said, whose end is <see cref="HoldUntil"/>; null where that was said itself, or neither.</summary>
    public TimeSpan? HoldFor { get; init; }

    /// <summary>XVERP (Postfix): each recipient has a sender of its own; null where all have the same.</summary>
    public VerpDelimiters? Verp { get; init; }

    /// <summary>What extensions brought that have no property here.</summary>
    public ParameterValues Others { get; init; } = ParameterValues.None;

    /// <summary>The same, as the one object that all have who say no more than <see cref="None"/> or <see cref="EightBit"/>.</summary>
    public MailParameters Shared() => this == None ? None : this == EightBit ? EightBit : this;
}

/// <summary>What BODY= said of the content.</summary>
public enum BodyType
{
    /// <summary>Lines of US-ASCII; also what a client without BODY= says.</summary>
    SevenBit,

    /// <summary>Lines of any octets (RFC 6152).</summary>
    EightBitMime,

    /// <summary>Octets without a line structure; only ever sent by BDAT (RFC 3030).</summary>
    BinaryMime,
}

/// <summary>RET=: how much of the message a failure report should carry (RFC 3461 §4.3).</summary>
public enum DsnReturn
{
    /// <summary>The client did not say: the reporting server decides.</summary>
    Unspecified,

    /// <summary>RET=FULL.</summary>
    Full,

    /// <summary>RET=HDRS.</summary>
    Headers,
}

/// <summary>BY=: how long the sender gives the message (RFC 2852 §4).</summary>
/// <param name="Within">Counted from the moment MAIL was accepted; negative or zero only with <paramref name="IsNotify"/>.</param>
/// <param name="IsNotify">BY=…;N: deliver later all the same and report the delay; else (R) give up and report the failure.</param>
/// <param name="IsTrace">The T modifier: each server on the way reports that it relayed the message.</param>
public sealed record DeliverBy(TimeSpan Within, bool IsNotify, bool IsTrace);
