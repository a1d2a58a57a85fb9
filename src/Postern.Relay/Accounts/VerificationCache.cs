using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Stores.Asking;

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

    private readonly HalvedMap<VerificationKey, Entry> entries = new(capacity);
    private long asked;
    private long recalled;

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

    /// <summary>Entries that are too old stay for this long, for whoever asks for an older one; zero: no longer than others.</summary>
    public TimeSpan KeepFor { get; init; }

    /// <summary>How often a password was asked about since start, and how often it was remembered as right.</summary>
    public (long Asked, long Recalled) Counts => (Interlocked.Read(ref asked), Interlocked.Read(ref recalled));

    /// <summary>
    /// The credential by which the attempt was right not long ago, and which has not expired since; null for any other attempt.
    /// </summary>
    public StoredCredential? Recall(VerificationKey key)
    {
        Interlocked.Increment(ref asked);
        var credential = Recall(key, timeToLive, out _);
        if (credential is not null)
            Interlocked.Increment(ref recalled);
        return credential;
    }

    /// <summary>The same for an attempt that may have been right longer ago.</summary>
    /// <param name="most">No longer than this.</param>
    /// <param name="age">How long ago it was.</param>
    internal StoredCredential? Recall(VerificationKey key, TimeSpan most, out TimeSpan age)
    {
        lock (gate)
        {
            age = default;
            if (!entries.TryGet(key, out var entry))
                return null;
            age = clock.GetElapsedTime(entry.At);
            var isExpired = entry.Credential.ExpiresAt <= clock.GetUtcNow();
            if (age < most && !isExpired)
                return entry.Credential;
            if (isExpired || (age >= timeToLive && age >= KeepFor))
                entries.Remove(key);
            return null;
        }
    }

    public void Remember(VerificationKey key, StoredCredential credential)
    {
        lock (gate)
            entries.Put(key, new Entry(clock.GetTimestamp(), credential));
    }

    private readonly record struct Entry(long At, StoredCredential Credential);
}
