using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;

namespace Postern.Relay.Admin;

/// <summary>
/// What an operator may change in a credential file (<c>user:password</c>, <c>user:realm:hash</c>): one line at a time. The new file takes
/// the place of the old one at once, with its mode; a server that reads meanwhile sees one or the other. Comments and the order of lines
/// stay.
/// </summary>
/// <param name="path">Absolute; made where it is missing, readable by its owner only.</param>
/// <param name="replace">Puts the first file, which is complete, in the place of the second.</param>
public sealed class CredentialFileCommands(string path, Action<string, string>? replace = null)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The file holds lines of <c>user:realm:hash</c>; null where it holds none of either kind yet.</summary>
    /// <exception cref="IOException">The file is there and cannot be read.</exception>
    public bool? IsDigest() =>
        Lines().FirstOrDefault(IsEntry) is { } line ? DigestHash.TryParse(DigestHash.Prefix + line) is not null : null;

    /// <summary>Sets the line of <paramref name="user"/>, in whatever spelling it stands there; of the realm, where there is one.</summary>
    /// <exception cref="IOException">The file cannot be read or written; it is as it was.</exception>
    public AdminOutcome Set(string user, PasswordHash hash)
    {
        if (LoginNames.IsDisguisedAddress(user))
            return new AdminOutcome.Invalid($"'{user}' is no address, and would be read as one: write its signs in ASCII");
        if (!LoginNames.TryCanonical(user, out _)
            || user.Contains(':', StringComparison.Ordinal)
            || user.StartsWith('#')
            || user.Any(char.IsWhiteSpace))
            return new AdminOutcome.Invalid(
                $"'{user}' cannot stand in a credential file: 1 to {LoginNames.MaxLength} visible characters without spaces and colons");
        var digest = hash as DigestHash;
        var line = digest is not null ? hash.Stored[DigestHash.Prefix.Length..] : $"{user}:{TextOf(hash)}";
        if (IsDigest() is { } isDigest && isDigest != digest is not null)
            return new AdminOutcome.Invalid(
                isDigest
                    ? $"{path} holds lines of 'user:realm:hash'; another scheme needs another file"
                    : $"{path} holds lines of 'user:password'; digest-md5 needs a file of its own");
        var lines = Lines();
        var at = lines.FindIndex(l => IsOf(l, user, digest?.Realm));
        if (at >= 0)
            lines[at] = line;
        else
            lines.Add(line);
        // Whatever stood there a second time would not be used, and looks as if it were.
        lines.RemoveAll(l => !ReferenceEquals(l, line) && IsOf(l, user, digest?.Realm));
        Write(lines);
        return new AdminOutcome.Done(
            $"{user} {(at >= 0 ? "changed" : "added")} in {path}{(digest is null ? string.Empty : $", realm {digest.Realm}")}");
    }

    /// <summary>Removes every line of <paramref name="user"/>.</summary>
    /// <exception cref="IOException">As for <see cref="Set"/>.</exception>
    public AdminOutcome Remove(string user)
    {
        var lines = Lines();
        if (lines.RemoveAll(l => IsOf(l, user, realm: null)) == 0)
            return new AdminOutcome.NotFound(
                $"{path} has no user '{user}'{NearestName.Hint(user, lines.Where(IsEntry).Select(static l => l.Split(':')[0]))}");
        Write(lines);
        return new AdminOutcome.Done($"{user} removed from {path}");
    }

    private static bool IsEntry(string line) => !string.IsNullOrWhiteSpace(line) && line[0] != '#';

    private static bool IsOf(string line, string user, string? realm)
    {
        var fields = line.Split(':');
        return IsEntry(line) && fields.Length > 1
            && LoginNames.TryCanonical(fields[0], out var there) && LoginNames.TryCanonical(user, out var wanted) && there == wanted
            && (realm is null || fields[1] == realm);
    }

    /// <summary>A password stands there as it is, unless it would be taken for something else.</summary>
    private static string TextOf(PasswordHash hash)
    {
        if (hash is not SharedHash)
            return hash.Stored;
        var password = hash.Stored[SharedHash.Prefix.Length..];
        return password[0] is not ('{' or '$') && FileStore.ReadLine($"user:{password}") is { Hash: SharedHash, Problem: null }
            ? password
            : hash.Stored;
    }

    private List<string> Lines()
    {
        try
        {
            if (!File.Exists(path))
                return [];
            var text = StrictUtf8.GetString(File.ReadAllBytes(path)).TrimStart('\uFEFF');
            return text.Length == 0 ? [] : [.. (text[^1] == '\n' ? text[..^1] : text).Split('\n').Select(static l => l.TrimEnd('\r'))];
        }
        catch (DecoderFallbackException e)
        {
            throw new IOException($"{path} is not UTF-8 text", e);
        }
    }

    private void Write(List<string> lines)
    {
        var fresh = $"{path}.{Guid.NewGuid():N}";
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = File.Exists(path) ? File.GetUnixFileMode(path) : UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(fresh, how))
            {
                stream.Write(StrictUtf8.GetBytes(string.Concat(lines.Select(static l => l + "\n"))));
                stream.Flush(flushToDisk: true);
            }

            (replace ?? Move)(fresh, path);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
    }

    private static void Move(string fresh, string path) => File.Move(fresh, path, overwrite: true);
}
