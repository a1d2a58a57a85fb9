using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary>One line of a credential file.</summary>
/// <param name="User">As it stands there.</param>
/// <param name="Problem">
/// Why the line is of no use; it quotes nothing that may be secret. Null when the line can be used. With the others there, the user is
/// known here and cannot log in: no later store is asked for it.
/// </param>
internal sealed record CredentialLine(string? User, PasswordHash? Hash, string? Problem)
{
    public static CredentialLine Wrong(string problem) => new(User: null, Hash: null, problem);
}
