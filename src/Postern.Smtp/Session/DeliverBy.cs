namespace Postern.Smtp.Session;

/// <summary>BY=: how long the sender gives the message (RFC 2852 §4).</summary>
/// <param name="Within">Counted from the moment MAIL was accepted; negative or zero only with <paramref name="IsNotify"/>.</param>
/// <param name="IsNotify">BY=…;N: deliver later all the same and report the delay; else (R) give up and report the failure.</param>
/// <param name="IsTrace">The T modifier: each server on the way reports that it relayed the message.</param>
public sealed record DeliverBy(TimeSpan Within, bool IsNotify, bool IsTrace);
