namespace Postern.Relay.Accounts.Stores.Vault;

/// <summary>
/// A path in Vault, which takes <c>%2F</c> for a slash and ends no name with a dot: so a name that is not one part of a path has no place
/// there at all.
/// </summary>
internal static class VaultPath
{
    /// <summary>What is wrong with a path of several parts, as the end of a sentence; null for nothing.</summary>
    public static string? WhyNot(string path) =>
        path.Length == 0 ? "it is empty"
        : path.AsSpan().ContainsAny("?#%*\\") || path.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c))
            ? "it holds a space, or a sign that no path has there"
        : path.Split('/').Any(static part => part is "" or "." or "..") ? "one of its parts is empty, '.' or '..'"
        : null;

    /// <summary>Any name may be asked for; one that cannot be a part of a path is nobody's.</summary>
    public static bool CanBePart(string name) =>
        name.Length > 0 && !name.Contains('/', StringComparison.Ordinal) && !name.EndsWith('.') && name is not ("." or "..");

    /// <summary>As it stands in a request.</summary>
    public static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
