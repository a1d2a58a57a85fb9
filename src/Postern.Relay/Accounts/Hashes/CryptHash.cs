using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// A hash as crypt(5) writes it, for accounts that come from elsewhere: yescrypt, scrypt, bcrypt, SHA-512, SHA-256, MD5, DES. The system's
/// libcrypt computes it; where that is missing, bcrypt is computed by managed code and the others cannot be.
/// </summary>
internal sealed class CryptHash : PasswordHash
{
    private const int MaxRounds = 5_000_000;
    private const int MinRounds = 1000;
    private const int UsualRounds = 5000;
    private const int MaxBcryptCost = 16;
    private const int MinBcryptCost = 4;

    /// <summary>Below it a guess costs less than five milliseconds.</summary>
    private const int WeakBcryptCost = 8;

    /// <summary>The prefixes of bcrypt differ in old errors, not in cost.</summary>
    private const string BcryptKind = "$2b$";

    /// <summary>N, r and p, in characters.</summary>
    private const int ScryptParameters = 11;

    /// <summary>CRYPT_MAX_PASSPHRASE_SIZE less the NUL.</summary>
    private const int MaxPhraseOctets = 511;

    private static readonly SearchValues<char> HashCharacters = SearchValues.Create(
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly string[] Schemes = ["$y$", "$gy$", "$7$", "$2b$", "$2y$", "$2a$", "$6$", "$5$", "$1$"];

    /// <summary>Not a prefix: it has none, and is taken for a hash only behind a word that says so.</summary>
    private const string Des = "DES";

    private const int DesLength = 13;

    /// <summary>yescrypt and scrypt: 128 r N.</summary>
    private const long MaxOctets = 256L << 20;

    private const int MaxScryptParallel = 16;

    /// <summary>The ones that Dovecot and OpenLDAP write before them.</summary>
    private static readonly string[] Words = ["CRYPT", "DES-CRYPT", "MD5-CRYPT", "MD5", "BLF-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT"];

    public static readonly HashFamily Family = new(
        TryParse,
        Claims,
        string.Create(CultureInfo.InvariantCulture, $"{MaxBcryptCost} (bcrypt), {MaxRounds} rounds or {MaxOctets >> 20} MiB of memory"));

    private readonly byte[] setting;

    private CryptHash(string hash, string scheme, HashCost cost)
        : base(scheme == Des ? "{CRYPT}" + hash : hash)
    {
        Scheme = scheme;
        Cost = cost;
        setting = Encoding.ASCII.GetBytes(hash + '\0');
    }

    public override string Scheme { get; }

    public override string Description => Scheme switch
    {
        "$y$" or "$gy$" => "a yescrypt hash",
        "$7$" => "an scrypt hash",
        "$2a$" or "$2b$" or "$2y$" => "a bcrypt hash",
        "$6$" => "a SHA-512 crypt hash",
        "$5$" => "a SHA-256 crypt hash",
        Des => "a DES crypt hash",
        _ => "an MD5 crypt hash",
    };

    public override HashCost Cost { get; }

    public override string? Weakness => Scheme switch
    {
        Des => "DES of the first eight characters",
        "$1$" => "a thousand rounds of MD5",
        "$2a$" or "$2b$" or "$2y$" when Cost.Units < 1 << WeakBcryptCost => $"bcrypt of the cost {BitOperations.Log2((ulong)Cost.Units)}",
        _ => null,
    };

    /// <summary>It begins as a hash of a scheme that could be computed.</summary>
    private static bool Claims(string stored) =>
        (SchemeWord.Of(stored) is { } word && Words.Contains(word.Name))
        || Schemes.Any(s => stored.StartsWith(s, StringComparison.Ordinal));

    /// <summary>A word of Dovecot before the hash is taken off: the hash says itself what it is, except one of DES.</summary>
    public static CryptHash? TryParse(string stored)
    {
        if (SchemeWord.TextBehind(stored, Words) is not { } text)
            return null;
        if (text.Length == DesLength
            && !text.AsSpan().ContainsAnyExcept(HashCharacters)
            && SchemeWord.Of(stored) is { Name: "CRYPT" or "DES-CRYPT" })
            return new CryptHash(text, Des, new HashCost(Des, 1));
        stored = text;
        var scheme = Schemes.FirstOrDefault(s => stored.StartsWith(s, StringComparison.Ordinal));
        var isPrintable = stored.All(char.IsAscii) && !stored.Any(c => char.IsControl(c) || c is ' ' or ':');
        return scheme is not null && isPrintable && IsWhole(stored, scheme) && CostOf(stored, scheme) is { } cost
            ? new CryptHash(stored, scheme, cost)
            : null;
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
        var (answer, hash) = new CryptHash(fresh, scheme, default).Compute(Encoding.UTF8.GetBytes(password));
        made = hash is null ? null : TryParse(Encoding.ASCII.GetString(hash));
        return answer;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        var cut = Cut(password);
        var (answer, hash) = Compute(cut);
        return hash is null
            ? answer
            : HashAnswer.Of(CryptographicOperations.FixedTimeEquals(hash, setting.AsSpan(..^1)) && cut.Length == password.Length);
    }

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        foreach (var (nobodys, _) in SettingsFor(cost))
        {
            if (new CryptHash(nobodys, Scheme, default).Compute(Cut(password)) is (HashAnswer.Unavailable unavailable, null))
                return unavailable;
        }

        return HashAnswer.NoMatch.Instance;
    }

    /// <summary>Settings of one kind, with a salt that is nobody's, which cost so much together.</summary>
    internal static IEnumerable<(string Setting, long Units)> SettingsFor(HashCost cost)
    {
        var (kind, left) = cost;
        while (left > 0)
        {
            var (setting, units) = Next(kind, left);
            if (units == 0)
                yield break;
            yield return (setting, units);
            left -= units;
        }

        static (string Setting, long Units) Next(string kind, long left) => kind switch
        {
            Des => ("aa", 1),
            "$1$" => ("$1$aaaaaaaa", 1),
            "$5$" or "$6$" =>
                (Invariant(
                    $"{kind}rounds={Math.Clamp(left, MinRounds, MaxRounds)}$aaaaaaaaaaaaaaaa"), Math.Clamp(left, MinRounds, MaxRounds)),
            BcryptKind when left < 1 << MinBcryptCost => (string.Empty, 0), // less than the least there is
            BcryptKind => (Invariant($"{BcryptKind}{BcryptCost(left):00}$aaaaaaaaaaaaaaaaaaaaae"), 1L << BcryptCost(left)),
            _ => (kind + "aaaaaaaaaaaaaaaaaaaaa.$", 1),
        };

        static int BcryptCost(long units) => Math.Min(MaxBcryptCost, BitOperations.Log2((ulong)units));
    }

    /// <summary>The hash of a text under any setting; null where the library does not understand it.</summary>
    internal static string? Compute(string setting, string text) =>
        new CryptHash(setting, setting, default).Compute(Encoding.UTF8.GetBytes(text)).Hash is { } hash
            ? Encoding.ASCII.GetString(hash)
            : null;

    /// <summary>
    /// What is computed of a password that crypt(3) cannot take whole: a C string ends at a NUL, and longer ones are refused. It does not
    /// match whatever comes out, and costs what others do.
    /// </summary>
    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> password)
    {
        var nul = password.IndexOf((byte)0);
        return password[..Math.Min(nul < 0 ? password.Length : nul, MaxPhraseOctets)];
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
                    ? (new HashAnswer.Unusable($"libcrypt cannot compute the stored {Scheme} hash"), null)
                    : (HashAnswer.Match.Instance, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(hash).ToArray());
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return Bcrypt(password, Encoding.ASCII.GetString(setting.AsSpan(..^1))) is { } hash
                ? (HashAnswer.Match.Instance, hash)
                : (new HashAnswer.Unavailable(Missing(Scheme)), null);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
            CryptographicOperations.ZeroMemory(new Span<byte>(data, LibCrypt.DataOctets));
            NativeMemory.Free(data);
        }
    }

    /// <summary>bcrypt without libcrypt, at half its speed; null for other hashes, and for a password that is no text.</summary>
    internal static byte[]? Bcrypt(ReadOnlySpan<byte> password, string setting) =>
        setting.StartsWith("$2", StringComparison.Ordinal) && System.Text.Unicode.Utf8.IsValid(password)
            ? Encoding.ASCII.GetBytes(BCrypt.Net.BCrypt.HashPassword(Encoding.UTF8.GetString(password), setting))
            : null;

    /// <summary>A setting and a whole hash behind it: what is cut off or damaged is no hash.</summary>
    private static bool IsWhole(string stored, string scheme)
    {
        var hash = scheme.StartsWith("$2", StringComparison.Ordinal)
            ? stored.AsSpan(Math.Min(stored.Length, scheme.Length + 3)) // the cost and a dollar sign; salt and hash are one text
            : stored.AsSpan(Math.Max(scheme.Length, stored.LastIndexOf('$') + 1));
        var length = scheme switch
        {
            "$1$" => 22,
            "$6$" => 86,
            "$2a$" or "$2b$" or "$2y$" => 53,
            _ => 43,
        };
        return hash.Length == length && !hash.ContainsAnyExcept(HashCharacters);
    }

    /// <summary>
    /// Null for costs that would hold a hashing thread for minutes: they are an error in the store, not work to be done. Null as well for
    /// damage.
    /// </summary>
    private static HashCost? CostOf(string stored, string scheme)
    {
        var cost = stored.AsSpan(scheme.Length);
        switch (scheme)
        {
            case "$2a$" or "$2b$" or "$2y$":
                return cost[2] == '$'
                    && int.TryParse(cost[..2], NumberStyles.None, CultureInfo.InvariantCulture, out var log)
                    && log is >= MinBcryptCost and <= MaxBcryptCost
                    ? new HashCost(BcryptKind, 1L << log)
                    : null;
            case "$1$":
                return new HashCost(scheme, 1);
            case "$5$" or "$6$":
                const string Rounds = "rounds=";
                if (!cost.StartsWith(Rounds, StringComparison.Ordinal))
                    return new HashCost(scheme, UsualRounds);
                var digits = cost[Rounds.Length..];
                var end = digits.IndexOf('$');
                return end > 0
                    && int.TryParse(digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var rounds)
                    && rounds <= MaxRounds
                    ? new HashCost(scheme, Math.Max(MinRounds, rounds))
                    : null;
            case "$7$":
                return cost.Length > ScryptParameters
                    && IsBounded(Digit(cost[0]), Number(cost[1..6]))
                    && Number(cost[6..11]) is > 0 and <= MaxScryptParallel
                    ? new HashCost(stored[..(scheme.Length + ScryptParameters)], 1)
                    : null;
            default:
                // A flavour, N and r, in one character each; more parameters stand in no hash that a system makes.
                return cost.Length > 3 && cost[3] == '$' && IsBounded(Digit(cost[1]) + 1, Digit(cost[2]) + 1)
                    ? new HashCost(stored[..(scheme.Length + 4)], 1)
                    : null;
        }
    }

    private static bool IsBounded(int logN, long r) => logN is > 0 and < 32 && r > 0 && (128L * r) << logN <= MaxOctets;

    /// <summary>The value of one character.</summary>
    private static int Digit(char c) =>
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".IndexOf(c, StringComparison.Ordinal);

    /// <summary>Least significant first.</summary>
    private static long Number(ReadOnlySpan<char> characters)
    {
        var number = 0L;
        for (var i = characters.Length - 1; i >= 0; i--)
            number = Digit(characters[i]) is >= 0 and var digit ? (number << 6) | (uint)digit : long.MaxValue >> 8;
        return number;
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static string Missing(string scheme) => $"a {scheme} hash needs libcrypt.so.1 (Debian: libcrypt1)";
}
