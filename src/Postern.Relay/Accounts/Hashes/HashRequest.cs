using Postern.Sasl;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>A password that is to be kept.</summary>
/// <param name="User">As the user writes the name; matters to DIGEST-MD5 alone, which hashes it.</param>
/// <param name="Realm">Matters to DIGEST-MD5 alone.</param>
/// <param name="IsGenerated">Random, and so long that nobody guesses it: a slow hash would protect nothing.</param>
public sealed record HashRequest(string User, string Realm, Secret Password, bool IsGenerated)
{
    /// <summary>What a SCRAM challenge to the account asks for already: the new one is made to be served by it. Null for none.</summary>
    internal ScramHash? Beside { get; init; }
}
