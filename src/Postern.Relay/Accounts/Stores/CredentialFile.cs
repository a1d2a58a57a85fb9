using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Audit.Events;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// A text file with a user a line, kept in memory and read again when it has changed; that is looked at once a second at most. Empty lines
/// and lines that begin with <c>#</c> are passed over. A line that cannot be read logs nobody in, the others do; each is told in the audit
/// log.
/// </summary>
internal sealed class CredentialFile
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly string path;
    private readonly Func<string, CredentialLine> read;
    private readonly StoreContext context;
    private readonly Lock gate = new();
    private volatile CredentialFileContent content = CredentialFileContent.None;
    private long lookedAt;

    /// <param name="uri">With an absolute path.</param>
    /// <param name="read">Reads one line, without its end.</param>
    public CredentialFile(string uri, Func<string, CredentialLine> read, StoreContext context)
    {
        Name = uri;
        path = PathOf(uri)!;
        this.read = read;
        this.context = context;
        Refresh();
    }

    public string Name { get; }

    /// <summary>What is wrong with the text of an entry.</summary>
    public static string? WhyNot(AccountSource source) =>
        PathOf(source.Uri) is null ? $"'{source.Uri}' names no file; a path is absolute: file:///etc/postern/passwd" : null;

    /// <summary>What is wrong with the file as it is now, for an operator.</summary>
    public static IEnumerable<string> Warn(AccountSource source, Func<string, CredentialLine> read)
    {
        var file = PathOf(source.Uri)!;
        var found = CredentialFileContent.Read(file, read);
        if (found.Unavailable is { } problem)
            yield return problem;
        else if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
            yield return $"{file} can be read or written by every user of this machine: chmod 640 {file}";
        foreach (var line in found.Problems)
            yield return line;
        if (WeakForms.Describe(found.Users.Values.SelectMany(static login => login.Credentials).Select(static c => c.Hash)) is { } weak)
            yield return $"{file}: {weak}; to replace one: postern passwd {file} USER";
    }

    /// <inheritdoc cref="CommonForms()"/>
    public static StoredForms CommonForms(AccountSource source, Func<string, CredentialLine> read) =>
        CredentialFileContent.Read(PathOf(source.Uri)!, read).CommonForms();

    public LoginAnswer Find(string user)
    {
        if (context.Clock.GetElapsedTime(Interlocked.Read(ref lookedAt)) >= LookInterval)
            Refresh();
        var now = content;
        return now.Unavailable is { } reason ? new LoginAnswer.Unavailable(reason)
            : now.Users.TryGetValue(user, out var login) ? login.ToAnswer()
            : StoredLogin.Nobody;
    }

    /// <summary>Of the costliest user of the file now.</summary>
    public HashCosts Costs => content.Costs;

    /// <summary>The forms that every user of the file has now; all for a file without any.</summary>
    public StoredForms CommonForms()
    {
        if (context.Clock.GetElapsedTime(Interlocked.Read(ref lookedAt)) >= LookInterval)
            Refresh();
        return content.CommonForms();
    }

    /// <summary>The absolute path that a URI names; null for none.</summary>
    internal static string? PathOf(string uri)
    {
        var colon = uri.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? string.Empty : uri[(colon + 1)..];
        if (name.StartsWith("//", StringComparison.Ordinal))
            name = name[2..];
        return name.Length > 1 && name[0] == '/' && name[^1] != '/' && !name.Any(char.IsControl) ? Uri.UnescapeDataString(name) : null;
    }

    private void Refresh()
    {
        lock (gate)
        {
            Interlocked.Exchange(ref lookedAt, context.Clock.GetTimestamp());
            if (content.Stamp is { } stamp && stamp == FileStamp.Of(path))
                return;
            var before = content;
            content = CredentialFileContent.Read(path, read);
            // What was told once is not told again.
            foreach (var problem in content.Problems.Append(content.Unavailable).OfType<string>()
                .Except(before.Problems.Append(before.Unavailable).OfType<string>(), StringComparer.Ordinal))
                context.Audit.Append(new ServerEvent(context.Clock.GetUtcNow(), "accounts_file", problem));
        }
    }
}
