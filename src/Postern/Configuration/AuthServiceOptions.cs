using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Machine;

namespace Postern.Configuration;

/// <summary>
/// What a listener of protocol <c>dovecot-auth</c> has beside what all have: the files of its Unix sockets. Keys that mean something to
/// mail alone are mistakes there.
/// </summary>
/// <param name="Owner">The number of a user; null for whoever runs the server.</param>
/// <param name="Group">The number of a group; null for that of the server.</param>
internal sealed record AuthServiceOptions(ImmutableArray<string> Paths, UnixFileMode Mode, uint? Owner, uint? Group)
{
    public const string Word = "dovecot-auth";

    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite;

    private static readonly string[] OfFiles = ["mode", "owner", "group"];

    private static readonly string[] OfMail =
    [
        "tls", "tls_minimum", "ciphers", "client_certificates", "without_extensions", "bare_newlines", "addresses", "proxy_from",
        "xclient_from", "xforward_from", "authorized_verp_clients",
    ];

    /// <param name="isOne">The listener is of this protocol.</param>
    /// <returns>Null where it is not.</returns>
    public static AuthServiceOptions? Read(Section section, ImmutableArray<ListenPlace> places, bool isOne)
    {
        var mode = section.Value(
            "mode", Kinds.FileMode, OwnerAndGroup, "`0660`", $"Where `protocol` is `{Word}`: the permissions of the sockets in `listen`.");
        var owner = Number(section, "owner", UserIdentity.UserOf, "whoever runs the server", "The user to whom those sockets are given.");
        var group = Number(
            section,
            "group",
            UserIdentity.GroupOf,
            "that of the server, or of the directory where it says so",
            "The group to which those sockets are given; of which the server must be a member, unless it is root.");
        ImmutableArray<string> paths = places.IsDefault ? [] : [.. places.Select(static p => p.Path).OfType<string>()];
        if (!isOne && !paths.IsEmpty)
            section.Report("listen", $"{paths[0]} is a Unix socket, on which only protocol '{Word}' listens", "an IP address and a port");
        if (paths.IsEmpty && OfFiles.FirstOrDefault(section.Has) is { } vain)
            section.Report(vain, $"no Unix socket is in 'listen', of protocol '{Word}'", "the key left out");
        if (!isOne)
            return null;
        if (OfMail.FirstOrDefault(section.Has) is { } unused)
            section.Report(unused, $"where protocol is '{Word}' other servers ask, and no mail is taken", "the key left out");
        return new(paths, mode, owner, group);
    }

    /// <summary>Why a mechanism is not carried; null where it is.</summary>
    public static string? WhyNotCarried(string mechanism) =>
        mechanism == "ANONYMOUS" ? "the server that asks would take it for a login"
        : mechanism.EndsWith("-PLUS", StringComparison.Ordinal) ? "what it binds to stays with the server that asks"
        : null;

    private static uint? Number(Section section, string key, Func<string, uint?> find, string fallbackText, string doc)
    {
        if (section.Value(key, Kinds.Text, fallback: null!, fallbackText, doc) is not { } name || section.IsDescribing)
            return null;
        if (find(name) is { } number)
            return number;
        section.Report(key, $"this machine has no {(key == "owner" ? "user" : "group")} '{name}'");
        return null;
    }
}
