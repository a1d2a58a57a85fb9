using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
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
    private const int MaxOctets = 64 << 20;
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string path;
    private readonly Func<string, CredentialLine> read;
    private readonly StoreContext context;
    private readonly Lock gate = new();
    private volatile Content content = Content.None;
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
        var found = Content.Read(file, read);
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
        Content.Read(PathOf(source.Uri)!, read).CommonForms();

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
            content = Content.Read(path, read);
            // What was told once is not told again.
            foreach (var problem in content.Problems.Append(content.Unavailable).OfType<string>()
                .Except(before.Problems.Append(before.Unavailable).OfType<string>(), StringComparer.Ordinal))
                context.Audit.Append(new ServerEvent(context.Clock.GetUtcNow(), "accounts_file", problem));
        }
    }

    /// <summary>The file as it was read.</summary>
    private sealed record Content(
        FileStamp? Stamp, FrozenDictionary<string, StoredLogin> Users, ImmutableArray<string> Problems, string? Unavailable)
    {
        private readonly ImmutableArray<StoredLogin> inOrder = [.. Users.Values];

        private StoredForms? common;

        public HashCosts Costs { get; } = Users.Values.Aggregate(HashCosts.None, static (most, login) => most.Most(login.Costs));

        public static Content None { get; } = new(Stamp: null, FrozenDictionary<string, StoredLogin>.Empty, [], "it was not read yet");

        public StoredForms CommonForms() => common ??=
            inOrder.Where(static login => login.Credentials.Any(static c => c.Hash is not UnknownHash))
                .Aggregate(
                    StoredForms.All,
                    static (common, login) => common & login.Credentials.Aggregate(
                        StoredForms.None, static (all, c) => all | c.Hash.Forms));

        public static Content Read(string path, Func<string, CredentialLine> read)
        {
            try
            {
                var stamp = FileStamp.Of(path);
                if (stamp is { Length: > MaxOctets })
                    return Broken(path, $"it is larger than {MaxOctets >> 20} MiB");
                return Parse(path, stamp, StrictUtf8.GetString(File.ReadAllBytes(path)).TrimStart('\uFEFF'), read);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return Broken(path, "there is no such file");
            }
            catch (DecoderFallbackException)
            {
                return Broken(path, "it is not UTF-8 text");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Broken(path, $"it cannot be read: {e.Message}");
            }
        }

        private static Content Parse(string path, FileStamp? stamp, string text, Func<string, CredentialLine> read)
        {
            var users = new Dictionary<string, StoredLogin>(StringComparer.Ordinal);
            var problems = ImmutableArray.CreateBuilder<string>();
            var number = 0;
            foreach (var line in text.Split('\n').Select(static l => l.TrimEnd('\r')))
            {
                number++;
                if (string.IsNullOrWhiteSpace(line) || line[0] == '#')
                    continue;
                var (user, hash, problem) = read(line);
                if (user is not null && LoginNames.IsDisguisedAddress(user))
                    (user, problem) = (null, "the user name is no address, and would be read as one: write its signs in ASCII");
                if (user is not null && !LoginNames.TryCanonical(user, out user))
                    problem = "the user name is not one that an account can have";
                if (user is not null && !users.TryAdd(user, Login(user, hash!)))
                    problem = "its user stands above already; this line is not used";
                if (problem is not null)
                    problems.Add(string.Create(CultureInfo.InvariantCulture, $"{path}, line {number}: {problem}"));
            }

            return new Content(stamp, users.ToFrozenDictionary(StringComparer.Ordinal), problems.ToImmutable(), Unavailable: null);
        }

        /// <summary>A line that another system would call locked disables the user here too.</summary>
        private static StoredLogin Login(string user, PasswordHash hash)
        {
            var isLocked = hash is UnknownHash && ForeignHash.IsLocked(hash.Stored);
            return new StoredLogin(user, isLocked ? StoredLogin.Disabled : null, [new StoredCredential("file", hash, ExpiresAt: null)])
            {
                IsDisabled = isLocked,
            };
        }

        private static Content Broken(string path, string why) => None with { Unavailable = $"{path}: {why}" };
    }
}
