using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts;

/// <summary>One of a user's secrets, hashed.</summary>
/// <param name="Name">The label, or the number when it has none.</param>
/// <param name="ExpiresAt">From this moment on it is refused; null never.</param>
public sealed record StoredCredential(string Name, PasswordHash Hash, DateTimeOffset? ExpiresAt);
