namespace Postern.Relay.Envelopes;

/// <summary>
/// What an operator writes to mean senders or recipients: an address, a domain with or without <c>@</c> before it, or <c>&lt;&gt;</c>. Case
/// matters not.
/// </summary>
public static class AddressPattern
{
    /// <param name="address">Empty for the null sender.</param>
    public static bool Fits(string address, string wanted) => wanted switch
    {
        "<>" => address.Length == 0,
        _ when wanted.IndexOf('@', StringComparison.Ordinal) > 0 => string.Equals(address, wanted, StringComparison.OrdinalIgnoreCase),
        _ => IsInDomain(address, wanted),
    };

    public static bool IsInDomain(string address, string wanted)
    {
        var at = address.LastIndexOf('@');
        return at > 0 && address.AsSpan(at + 1).Equals(wanted.AsSpan().TrimStart('@'), StringComparison.OrdinalIgnoreCase);
    }
}
