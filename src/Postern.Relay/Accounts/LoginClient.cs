using Postern.Sasl;

namespace Postern.Relay.Accounts;

/// <summary>The client of a login, as a store is told of it that wants to know.</summary>
/// <param name="Address">Null where nobody knows it.</param>
/// <param name="Connection">What else is known; null for nothing.</param>
public readonly record struct LoginClient(string? Address, SaslConnection? Connection = null)
{
    /// <summary>
    /// What a right password may depend on: one that was right for a client counts for those alone of whom the same is said here.
    /// </summary>
    internal string? Kind => (Address, Connection) switch
    {
        (null, null) => null,
        (var address, { IsSecured: false }) => $"{address ?? "-"} in clear",
        (var address, _) => address ?? "-",
    };
}
