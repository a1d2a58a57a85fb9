namespace Postern.Fuzz.Models;

/// <summary>What the model of a client has to know of the server.</summary>
/// <param name="LineOctets">The longest line, CRLF included.</param>
/// <param name="ContentOctets">The largest message.</param>
/// <param name="Mends">Lone CRs and LFs become CRLF, NUL is taken out, and lines may end in LF; else they are refused.</param>
/// <param name="IsLmtp">Each accepted recipient is answered at the end of a message.</param>
/// <param name="StoreDecides">The store may refuse what the session would take.</param>
internal sealed record DialogueRules(int LineOctets, long ContentOctets, bool Mends, bool IsLmtp, bool StoreDecides = false);
