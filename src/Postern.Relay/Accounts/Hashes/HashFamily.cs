namespace Postern.Relay.Accounts.Hashes;

/// <summary>One kind of stored form. A new one is one file and one line in <see cref="HashSchemes.Families"/>.</summary>
/// <param name="TryParse">The form that a text has; null where it is none of this kind, damaged, or too costly to compute.</param>
/// <param name="Claims">The text begins as a form of this kind.</param>
/// <param name="Limits">The cost above which it is refused, as part of a sentence; null where the cost is always the same.</param>
internal sealed record HashFamily(Func<string, PasswordHash?> TryParse, Func<string, bool> Claims, string? Limits = null);
