using System.Collections.Immutable;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores.Vault;

/// <summary>Where a Vault or OpenBao is, and how this server shows who it is there.</summary>
public sealed record VaultAccess
{
    /// <summary>Asked in this order, beginning with the one that answered last; at least one.</summary>
    public ImmutableArray<Uri> Addresses { get; init; } = [];

    /// <summary>Where the server has several; null for the one there is.</summary>
    public string? Namespace { get; init; }

    public VaultLogin Login { get; init; } = new VaultLogin.Token(new Secret("none"));

    internal WebAccess Web { get; init; } = new(Authorities: null, Certificate: null, Key: null);

    /// <summary>How many questions are under way at most.</summary>
    public int MostQuestions { get; init; } = 50;

    /// <summary>How long one question may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    public bool Equals(VaultAccess? other) => other is not null
        && Addresses.SequenceEqual(other.Addresses)
        && Namespace == other.Namespace
        && Login == other.Login
        && Web == other.Web
        && MostQuestions == other.MostQuestions
        && Timeout == other.Timeout;

    public override int GetHashCode() => HashCode.Combine(Addresses.Length, Namespace, Login);

    /// <summary>Reads the keys; what is wrong with them is reported.</summary>
    public static VaultAccess Read(IStoreSection section)
    {
        var access = new VaultAccess
        {
            Addresses = ReadAddresses(section),
            Namespace = section.Text("namespace", "none", "The namespace, where the server has several."),
            Login = ReadLogin(section),
            Web = WebAccess.Read(section),
        };
        if (access.Namespace is { } name && name.Any(static c => c is <= ' ' or > '~'))
            section.Report("namespace", "it holds a space, or something that is not ASCII");
        return access;
    }

    /// <summary>What an operator should be told of the files that it names, and of the way there.</summary>
    public IEnumerable<string> Warn()
    {
        if (Web.WhyNot() is { } unusable)
            yield return unusable;
        if (Login is VaultLogin.Kubernetes { File: var file } && !File.Exists(file))
            yield return $"jwt: {file} does not exist";
    }

    private static ImmutableArray<Uri> ReadAddresses(IStoreSection section)
    {
        var text = section.Text(
            "address",
            fallbackText: null,
            "Where the server is: `https://vault.example.org:8200`. Several between spaces are nodes of one cluster: the next is asked "
                + "where one does not answer, is sealed or on standby. `http://` on this machine only.") ?? string.Empty;
        var addresses = ImmutableArray.CreateBuilder<Uri>();
        foreach (var one in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (HttpAddress.Of(one, out var problem) is not { } address)
                section.Report("address", $"{problem}; such as https://vault.example.org:8200");
            else if (address.AbsolutePath != "/")
                section.Report("address", "it has no path: https://vault.example.org:8200");
            else if (address.Scheme == Uri.UriSchemeHttp && !HttpAddress.IsHere(address))
                section.Report("address", "passwords would go to another machine in clear: https://");
            else
                addresses.Add(address);
        }

        return addresses.ToImmutable();
    }

    private static VaultLogin ReadLogin(IStoreSection section)
    {
        var token = section.Secret("token", "A token, in place of a login. It is renewed as long as it can be.");
        var role = section.Secret("role_id", "The id of the role, to log in by AppRole.");
        var secret = section.Secret("secret_id", "The secret id beside `role_id`; left out where the role needs none.");
        var kubernetes = section.Text("role", "none", "The role to log in as, by Kubernetes.");
        var jwt = section.FilePath(
            "jwt",
            "`/var/run/secrets/kubernetes.io/serviceaccount/token`",
            "The file with the token of the service account, beside `role`.");
        var mount = section.Text("auth_mount", "`approle`, `kubernetes`", "Where that way to log in is mounted, below `auth/`.");
        if (mount is not null && VaultPath.WhyNot(mount) is { } wrong)
            section.Report("auth_mount", wrong);
        string[] ways = [.. new[] { ("token", section.Has("token")), ("role_id", section.Has("role_id")), ("role", section.Has("role")) }
            .Where(static way => way.Item2).Select(static way => way.Item1)];
        if (ways.Length > 1)
            section.Report(ways[1], $"{ways[0]} and {ways[1]} exclude each other: a token, AppRole or Kubernetes");
        if (ways.Length == 0)
            section.Report("token", "nothing says who this server is there: token, role_id with secret_id (AppRole), or role (Kubernetes)");
        if (section.Has("secret_id") && !section.Has("role_id"))
            section.Report("secret_id", "there is no role_id that it is of");
        if (section.Has("jwt") && !section.Has("role"))
            section.Report("jwt", "there is no role to log in as");
        return token is not null ? new VaultLogin.Token(token)
            : role is not null ? new VaultLogin.AppRole(mount ?? "approle", role, secret)
            : kubernetes is not null ? new VaultLogin.Kubernetes(
                mount ?? "kubernetes", kubernetes, jwt ?? "/var/run/secrets/kubernetes.io/serviceaccount/token")
            : new VaultLogin.Token(new Secret("none"));
    }
}

/// <summary>How a client of Vault shows who it is.</summary>
public abstract record VaultLogin
{
    private VaultLogin()
    {
    }

    /// <summary>By a token that somebody has made for it.</summary>
    public sealed record Token(Secret Value) : VaultLogin;

    /// <param name="Mount">Below <c>auth/</c>.</param>
    /// <param name="SecretId">Null where the role needs none.</param>
    public sealed record AppRole(string Mount, Secret RoleId, Secret? SecretId) : VaultLogin;

    /// <param name="Mount">Below <c>auth/</c>.</param>
    /// <param name="File">Holds the token of the service account; it is read at each login.</param>
    public sealed record Kubernetes(string Mount, string Role, string File) : VaultLogin;
}
