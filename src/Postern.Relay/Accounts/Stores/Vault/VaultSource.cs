namespace Postern.Relay.Accounts.Stores.Vault;

/// <summary>An entry of <c>accounts</c>: users whose secrets are in Vault.</summary>
internal sealed record VaultSource : AccountSource
{
    private const string Scheme = "vault://";
    private const string Example = "vault://secret/smtp-auth";

    private VaultSource(AccountSource source, VaultAccess access)
        : base(source) => Access = access;

    public VaultAccess Access { get; }

    /// <summary>Where the engine is mounted.</summary>
    public string Mount { get; private init; } = string.Empty;

    /// <summary>What stands before each name; empty where the users are at the top.</summary>
    public string Prefix { get; private init; } = string.Empty;

    /// <summary>The field with the password.</summary>
    public string Field { get; private init; } = "password";

    public static AccountSource Read(IStoreSection section, AccountSource source)
    {
        var path = PathOf(source.Uri);
        var access = VaultAccess.Read(section) with { MostQuestions = source.Terms.MostQuestions, Timeout = source.Terms.Timeout };
        var mount = section.Text("mount", "the first part of the path", "Where the engine is mounted, where that is more than one part.");
        var field = section.Text("field", "`password`", "The field that holds the password, such as KumoMTA's `key`.") ?? "password";
        if (mount is not null && path != mount && !path.StartsWith($"{mount}/", StringComparison.Ordinal))
            section.Report("mount", "the path in the URI does not begin with it");
        mount ??= path.Split('/')[0];
        return new VaultSource(source, access)
        {
            Mount = mount,
            Prefix = path.Length > mount.Length ? path[(mount.Length + 1)..] : string.Empty,
            Field = field,
        };
    }

    /// <summary>What is wrong with the URI.</summary>
    public static string? WhyNot(AccountSource source) =>
        !source.Uri.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? $"it does not read vault://MOUNT/PATH; such as {Example}"
        : PathOf(source.Uri).Contains('@', StringComparison.Ordinal)
            ? "the server is the key 'address'; here stands the path of the secrets"
        : VaultPath.WhyNot(PathOf(source.Uri)) is { } problem ? $"the path: {problem}; such as {Example}"
        : null;

    public static IEnumerable<string> Warn(AccountSource source) => (source as VaultSource)?.Access.Warn() ?? [];

    /// <summary>The secret of a user.</summary>
    public string PathTo(string user) => Prefix.Length == 0 ? user : $"{Prefix}/{user}";

    /// <summary>Not by a parser of URIs, which takes the mount for a host and makes it lower case.</summary>
    private static string PathOf(string uri) => uri.Length > Scheme.Length ? uri[Scheme.Length..].TrimEnd('/') : string.Empty;
}
