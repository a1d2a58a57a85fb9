namespace Postern.Configuration.Reading;

/// <summary>A secret of the configuration that is in Vault, as it is written: <c>vault:mount/path#key</c>.</summary>
/// <param name="Mount">Where the engine (KV of version 2) is mounted.</param>
/// <param name="Key">The field of the secret.</param>
internal sealed record VaultReference(string Mount, string Path, string Key)
{
    /// <summary>Before the path.</summary>
    public const string Prefix = "vault:";

    /// <summary>Null for anything else.</summary>
    public static VaultReference? Parse(string text)
    {
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var rest = text[Prefix.Length..].TrimStart('/');
        var (slash, sign) = (rest.IndexOf('/', StringComparison.Ordinal), rest.IndexOf('#', StringComparison.Ordinal));
        if (slash < 1 || sign < slash + 2 || sign == rest.Length - 1)
            return null;
        var (path, key) = (rest[(slash + 1)..sign], rest[(sign + 1)..]);
        return rest[..slash].All(IsOfName) && path.Split('/').All(static part => part is not ("" or "." or "..") && part.All(IsOfName))
            && key.All(IsOfName)
            ? new VaultReference(rest[..slash], path, key)
            : null;
    }

    public override string ToString() => $"{Prefix}{Mount}/{Path}#{Key}";

    private static bool IsOfName(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@' or '+' or '=' or ',';
}
