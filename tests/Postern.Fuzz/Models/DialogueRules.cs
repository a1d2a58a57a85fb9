namespace Postern.Fuzz.Models;

/// <summary>What the model of a client has to know of the server.</summary>
/// <param name="LineOctets">The longest line, CRLF included.</param>
/// <param name="ContentOctets">The largest message.</param>
internal sealed record DialogueRules(int LineOctets, long ContentOctets);
