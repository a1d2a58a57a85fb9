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

    private readonly byte[] setting;

    private CryptHash(string stored, string scheme)
        : base(stored)
    {
        Scheme = scheme;
        setting = Encoding.ASCII.GetBytes(stored + '\0');
    }

    public override string Scheme { get; }

    public static CryptHash? TryParse(string stored)
    {
        var scheme = Schemes.FirstOrDefault(s => stored.StartsWith(s, StringComparison.Ordinal));
        var isPrintable = stored.All(char.IsAscii) && !stored.Any(c => char.IsControl(c) || c is ' ' or ':');
        return scheme is not null && isPrintable && IsAffordable(stored, scheme) ? new CryptHash(stored, scheme) : null;
    }

    public override unsafe HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        // A C string would end at the NUL, and a shorter password would pass.
        if (password.Contains((byte)0))
            return HashAnswer.NoMatch.Instance;

        var phrase = new byte[password.Length + 1];
        password.CopyTo(phrase);
        var data = (byte*)NativeMemory.AllocZeroed(LibCrypt.DataOctets);
        try
        {
            fixed (byte* phraseAt = phrase, settingAt = setting)
            {
                var hash = LibCrypt.Crypt(phraseAt, settingAt, data, LibCrypt.DataOctets);
                return hash is null
                    ? new HashAnswer.Unavailable($"libcrypt cannot compute the stored {Scheme} hash")
                    : HashAnswer.Of(CryptographicOperations.FixedTimeEquals(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(hash), setting.AsSpan(..^1)));
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return new HashAnswer.Unavailable($"a stored {Scheme} hash needs libcrypt.so.1 (Debian: libcrypt1)");
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
}
