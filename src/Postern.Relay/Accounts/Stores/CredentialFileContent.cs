using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary>A <see cref="CredentialFile"/> as it was read.</summary>
/// <param name="Problems">Of lines that cannot be read.</param>
/// <param name="Unavailable">Why it says nothing of anybody; null where it does.</param>
internal sealed record CredentialFileContent(
    FileStamp? Stamp, FrozenDictionary<string, StoredLogin> Users, ImmutableArray<string> Problems, string? Unavailable)
{
    private const int MaxOctets = 64 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ImmutableArray<StoredLogin> inOrder = [.. Users.Values];

    private StoredForms? common;

    public HashCosts Costs { get; } = Users.Values.Aggregate(HashCosts.None, static (most, login) => most.Most(login.Costs));

    public static CredentialFileContent None { get; } = new(
        Stamp: null, FrozenDictionary<string, StoredLogin>.Empty, [], "it was not read yet");

    public StoredForms CommonForms() => common ??=
        inOrder.Where(static login => login.Credentials.Any(static c => c.Hash is not UnknownHash))
            .Aggregate(
                StoredForms.All,
                static (common, login) => common & login.Credentials.Aggregate(
                    StoredForms.None, static (all, c) => all | c.Hash.Forms));

    public static CredentialFileContent Read(string path, Func<string, CredentialLine> read)
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

    private static CredentialFileContent Parse(string path, FileStamp? stamp, string text, Func<string, CredentialLine> read)
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

        return new CredentialFileContent(
            stamp, users.ToFrozenDictionary(StringComparer.Ordinal), problems.ToImmutable(), Unavailable: null);
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

    private static CredentialFileContent Broken(string path, string why) => None with { Unavailable = $"{path}: {why}" };
}
