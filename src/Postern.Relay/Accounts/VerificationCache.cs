using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts;

/// <summary>
/// Remembers that a password was right, so that the next login with it costs microseconds. It knows passwords by keyed digests only: the
/// key is random and dies with the process. The digest covers the store, the user, the whole state of the user's credentials
/// and the password, so that a change of any of them is a different entry.
/// </summary>
/// <param name="capacity">Entries kept at most.</param>
/// <param name="timeToLive">An entry older than this is not used.</param>
public sealed class VerificationCache(int capacity, TimeSpan timeToLive, TimeProvider clock)
{
    public const int DefaultCapacity = 10_000;

    private const int InlineOctets = 1280;

    private readonly byte[] secret = RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes);
    private readonly Lock gate = new();

    // Two halves: when the young one is full the old one is dropped. Bounded, without a list of uses to keep.
    private Dictionary<VerificationKey, Entry> young = [];
    private Dictionary<VerificationKey, Entry> old = [];

    public VerificationCache(TimeProvider clock)
        : this(DefaultCapacity, DefaultTimeToLive, clock)
    {
    }

    public static TimeSpan DefaultTimeToLive { get; } = TimeSpan.FromMinutes(10);

    /// <summary>The digest for an attempt. <paramref name="store"/> is the store's name.</summary>
    public VerificationKey KeyFor(string store, StoredLogin login, ReadOnlySpan<byte> password)
    {
        // [length of store][store][32-octet stamp, which covers the user][password]: no two attempts give the same octets.
        var length = sizeof(int) + Encoding.UTF8.GetMaxByteCount(store.Length) + login.Stamp.Length + password.Length;
        var text = length <= InlineOctets ? stackalloc byte[InlineOctets] : new byte[length];
        var storeOctets = Encoding.UTF8.GetBytes(store, text[sizeof(int)..]);
        BinaryPrimitives.WriteInt32LittleEndian(text, storeOctets);
        var end = sizeof(int) + storeOctets;
        login.Stamp.CopyTo(text[end..]);
        end += login.Stamp.Length;
        password.CopyTo(text[end..]);
        end += password.Length;

        Span<byte> digest = stackalloc byte[VerificationKey.Octets];
        HMACSHA256.HashData(secret, text[..end], digest);
        CryptographicOperations.ZeroMemory(text[..end]);
        return VerificationKey.Read(digest);
    }

    /// <summary>
    /// The credential by which the attempt was right not long ago, and which has not expired since; null for any other attempt.
    /// </summary>
    public StoredCredential? Recall(VerificationKey key)
    {
        lock (gate)
        {
            if (!young.TryGetValue(key, out var entry))
            {
                if (!old.Remove(key, out entry))
                    return null;
                Put(key, entry);
            }

            if (clock.GetElapsedTime(entry.At) < timeToLive && !(entry.Credential.ExpiresAt <= clock.GetUtcNow()))
                return entry.Credential;
            young.Remove(key);
            return null;
        }
    }

    public void Remember(VerificationKey key, StoredCredential credential)
    {
        lock (gate)
            Put(key, new Entry(clock.GetTimestamp(), credential));
    }

    private void Put(VerificationKey key, Entry entry)
    {
        if (young.Count >= Math.Max(1, capacity / 2))
            (old, young) = (young, []);
        young[key] = entry;
    }

    private readonly record struct Entry(long At, StoredCredential Credential);
}
