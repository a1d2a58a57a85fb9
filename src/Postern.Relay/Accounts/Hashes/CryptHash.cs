using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// A hash as crypt(5) writes it, for accounts that come from elsewhere: yescrypt, scrypt, bcrypt, SHA-512, SHA-256, MD5. The system's
/// libcrypt computes it.
/// </summary>
internal sealed class CryptHash : PasswordHash
{
    private const int MaxRounds = 5_000_000;
    private const int MaxBcryptCost = 16;

    private static readonly string[] Schemes = ["$y$", "$gy$", "$7$", "$2b$", "$2y$", "$2a$", "$6$", "$5$", "$1$"];

    /// <summary>What Dovecot and OpenLDAP write before them.</summary>
    private static readonly string[] Wrappers = ["{CRYPT}", "{MD5-CRYPT}", "{BLF-CRYPT}", "{SHA256-CRYPT}", "{SHA512-CRYPT}"];

    private readonly byte[] setting;

    private CryptHash(string stored, string scheme)
        : base(stored)
    {
        Scheme = scheme;
        setting = Encoding.ASCII.GetBytes(stored + '\0');
    }

    public override string Scheme { get; }

    public override string Description => Scheme switch
    {
        "$y$" or "$gy$" => "a yescrypt hash",
        "$7$" => "an scrypt hash",
        "$2a$" or "$2b$" or "$2y$" => "a bcrypt hash",
        "$6$" => "a SHA-512 crypt hash",
        "$5$" => "a SHA-256 crypt hash",
        _ => "an MD5 crypt hash",
    };

    /// <summary>What is refused above, for an operator.</summary>
    public static string Limits { get; } = string.Create(CultureInfo.InvariantCulture, $"{MaxBcryptCost} (bcrypt) or {MaxRounds} rounds");

    /// <summary>It begins as a hash of a scheme that could be computed.</summary>
    public static bool Claims(string stored) => Schemes.Any(s => stored.StartsWith(s, StringComparison.Ordinal));

    /// <summary>A word of Dovecot before the hash is taken off: the hash says itself what it is.</summary>
    public static CryptHash? TryParse(string stored)
    {
        if (Wrappers.FirstOrDefault(w => stored.StartsWith(w, StringComparison.OrdinalIgnoreCase)) is { } wrapper)
            stored = stored[wrapper.Length..];
        var scheme = Schemes.FirstOrDefault(s => stored.StartsWith(s, StringComparison.Ordinal));
        var isPrintable = stored.All(char.IsAscii) && !stored.Any(c => char.IsControl(c) || c is ' ' or ':');
        return scheme is not null && isPrintable && IsAffordable(stored, scheme) ? new CryptHash(stored, scheme) : null;
    }

    /// <summary>Hashes a new password with a fresh salt, at the library's usual cost.</summary>
    /// <param name="scheme">One of those above.</param>
    public static unsafe HashAnswer Create(string scheme, string password, out CryptHash? made)
    {
        made = null;
        var prefix = Encoding.ASCII.GetBytes(scheme + '\0');
        var text = stackalloc byte[LibCrypt.SettingOctets];
        try
        {
            fixed (byte* prefixAt = prefix)
            {
                if (LibCrypt.MakeSetting(prefixAt, cost: 0, random: null, randomOctets: 0, text, LibCrypt.SettingOctets) is null)
                    return new HashAnswer.Unavailable($"libcrypt knows no {scheme}");
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return new HashAnswer.Unavailable(Missing(scheme));
        }

        var fresh = Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
        var (answer, hash) = new CryptHash(fresh, scheme).Compute(Encoding.UTF8.GetBytes(password));
        made = hash is null ? null : TryParse(Encoding.ASCII.GetString(hash));
        return answer;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        // A C string would end at the NUL, and a shorter password would pass.
        if (password.Contains((byte)0))
            return HashAnswer.NoMatch.Instance;
        var (answer, hash) = Compute(password);
        return hash is null ? answer : HashAnswer.Of(CryptographicOperations.FixedTimeEquals(hash, setting.AsSpan(..^1)));
    }

    /// <summary>The hash of the password under this setting; null where the answer says why there is none.</summary>
    private unsafe (HashAnswer Answer, byte[]? Hash) Compute(ReadOnlySpan<byte> password)
    {

        var phrase = new byte[password.Length + 1];
        password.CopyTo(phrase);
        var data = (byte*)NativeMemory.AllocZeroed(LibCrypt.DataOctets);
        try
        {
            fixed (byte* phraseAt = phrase, settingAt = setting)
            {
                var hash = LibCrypt.Crypt(phraseAt, settingAt, data, LibCrypt.DataOctets);
                return hash is null
                    ? (new HashAnswer.Unavailable($"libcrypt cannot compute the stored {Scheme} hash"), null)
                    : (HashAnswer.Match.Instance, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(hash).ToArray());
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return (new HashAnswer.Unavailable(Missing(Scheme)), null);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
            CryptographicOperations.ZeroMemory(new Span<byte>(data, LibCrypt.DataOctets));
            NativeMemory.Free(data);
        }
    }

    /// <summary>Costs that would hold a hashing thread for minutes are an error in the store, not work to be done.</summary>
    private static bool IsAffordable(string stored, string scheme)
    {
        var cost = stored.AsSpan(scheme.Length);
        if (scheme.StartsWith("$2", StringComparison.Ordinal))
            return cost.Length > 2 && int.TryParse(cost[..2], NumberStyles.None, CultureInfo.InvariantCulture, out var log) && log <= MaxBcryptCost;
        const string Rounds = "rounds=";
        if (!cost.StartsWith(Rounds, StringComparison.Ordinal))
            return true;
        var digits = cost[Rounds.Length..];
        var end = digits.IndexOf('$');
        return end > 0 && int.TryParse(digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds <= MaxRounds;
    }

    private static string Missing(string scheme) => $"a {scheme} hash needs libcrypt.so.1 (Debian: libcrypt1)";
}
