namespace Postern.Smtp.Session;

/// <summary>ORCPT=: whom the sender meant before anybody rewrote the address (RFC 3461 §4.2).</summary>
/// <param name="Type">The address type, such as <c>rfc822</c> or <c>utf-8</c>; an atom.</param>
/// <param name="Address">Decoded from xtext; printable, without CR, LF or NUL.</param>
public sealed record OriginalRecipient(string Type, string Address);
