using Postern.Sasl;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>A password that is to be kept.</summary>
/// <param name="User">As the user writes the name; matters to DIGEST-MD5 alone, which hashes it.</param>
/// <param name="Realm">Matters to DIGEST-MD5 alone.</param>
/// <param name="IsGenerated">Random, and so long that nobody guesses it: a slow hash would protect nothing.</param>
public sealed record HashRequest(string User, string Realm, Secret Password, bool IsGenerated);
