using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Delivery;

namespace Postern.Relay.Dkim;

/// <summary>
/// The keys that sign now, read from the directory and kept ready. A change there by any process counts for the next message. While the
/// directory cannot be read, what was last known of a domain counts.
/// </summary>
/// <param name="tell">Takes a word for the log and its detail.</param>
internal sealed class DkimKeyRing(SqliteDirectory directory, Action<string, string> tell)
{
    private const int MostWithout = 10_000;

    private readonly ConcurrentDictionary<string, Known> known = new(StringComparer.Ordinal);
    private volatile bool hadNone;
    private int without;

    /// <summary>Whether any domain has a key; true where that cannot be known.</summary>
    public async ValueTask<bool> HasAnyAsync(CancellationToken ct)
    {
        try
        {
            var hasAny = (await directory.HasSigningKeysAsync(ct).ConfigureAwait(false)).Value;
            hadNone = !hasAny;
            return hasAny;
        }
        catch (DirectoryUnavailableException)
        {
            return !hadNone;
        }
    }

    /// <summary>The keys of exactly this domain; empty where it has none.</summary>
    /// <exception cref="DecorationUnavailableException">It has some, and none can be used; or nothing can be known of it.</exception>
    public async ValueTask<ImmutableArray<ActiveKey>> FindAsync(string domain, CancellationToken ct)
    {
        known.TryGetValue(domain, out var last);
        SigningKeys rows;
        try
        {
            rows = await directory.FindSigningKeysAsync(domain, ct).ConfigureAwait(false);
        }
        catch (DirectoryUnavailableException e)
        {
            return last?.UsableKeys() ?? throw new DecorationUnavailableException(
                $"not sent unsigned: whether {domain} has DKIM keys cannot be read: {e.Message}", e);
        }

        if (last is null || !ReferenceEquals(last.Rows, rows))
        {
            last = Open(domain, rows, last);
            if (rows.Active.IsEmpty && Interlocked.Increment(ref without) > MostWithout)
                ForgetThoseWithout();
            known[domain] = last;
        }

        return last.UsableKeys();
    }

    private Known Open(string domain, SigningKeys rows, Known? last)
    {
        var keys = ImmutableArray.CreateBuilder<ActiveKey>(rows.Active.Length);
        string? problem = null;
        foreach (var row in rows.Active)
        {
            if (last?.Find(row) is { } kept)
            {
                keys.Add(kept);
                continue;
            }

            try
            {
                keys.Add(new ActiveKey(domain, row.Selector, DkimKey.FromPkcs8(row.PrivateKey ?? [])));
            }
            catch (CryptographicException e)
            {
                problem = $"the DKIM key {row.Selector} of {domain} cannot be used: {e.Message}";
                if (last?.Problem != problem)
                    tell("dkim_key_unusable", $"{problem}. To replace it: postern dkim rotate {domain}");
            }
        }

        return new Known(rows, keys.ToImmutable(), problem);
    }

    private void ForgetThoseWithout()
    {
        Interlocked.Exchange(ref without, 0);
        foreach (var (domain, one) in known)
        {
            if (one.Rows.Active.IsEmpty)
                known.TryRemove(domain, out _);
        }
    }

    /// <param name="Problem">Of the last key that cannot be used; null where all can.</param>
    private sealed record Known(SigningKeys Rows, ImmutableArray<ActiveKey> Keys, string? Problem)
    {
        /// <exception cref="DecorationUnavailableException">There are keys, and none of them can be used.</exception>
        public ImmutableArray<ActiveKey> UsableKeys() =>
            Keys.IsEmpty && Problem is not null ? throw new DecorationUnavailableException($"not sent unsigned: {Problem}") : Keys;

        /// <summary>The same key, already opened.</summary>
        public ActiveKey? Find(SigningKeyRow row)
        {
            var before = Rows.Active.FirstOrDefault(r => r.Selector == row.Selector);
            return before?.PrivateKey is { } octets && row.PrivateKey.AsSpan().SequenceEqual(octets)
                ? Keys.FirstOrDefault(k => k.Selector == row.Selector)
                : null;
        }
    }
}
