using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Sasl.Preparation;

namespace Postern.Relay.Accounts;

/// <summary>
/// Replaces weak stored forms of the directory by the usual one when their users log in: only then is the password there to make it of. It
/// is done behind the login, by one thread of low priority; what does not fit into its queue waits for the next login. Label, expiry and
/// number of the credential stay.
/// </summary>
public sealed class FormReplacement : IDisposable
{
    private const int QueueLength = 256;
    private const int MaxFollowed = 20_000;

    private readonly SqliteDirectory directory;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly BlockingCollection<Item> queue = new(QueueLength);
    private readonly ConcurrentDictionary<string, string> followed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte> underWay = new(StringComparer.Ordinal);
    private readonly Thread thread;
    private string? trouble;

    public FormReplacement(SqliteDirectory directory, IAuditLog audit, TimeProvider clock)
    {
        this.directory = directory;
        this.audit = audit;
        this.clock = clock;
        thread = new Thread(Work) { IsBackground = true, Name = "forms" };
        thread.Start();
    }

    /// <summary>Weak, and of no use to a mechanism that the usual form does not serve.</summary>
    public static bool IsDue(PasswordHash hash) => hash.Weakness is not null && hash.Forms == StoredForms.Password;

    /// <summary>Puts it down for replacement, where it is due. Never waits.</summary>
    /// <param name="password">As it was revealed and found right; copied, and the copy zeroed after use.</param>
    public void Offer(StoredLogin login, StoredCredential credential, ReadOnlySpan<byte> password)
    {
        if (!IsDue(credential.Hash) || !PasswordText.IsText(password) || !underWay.TryAdd(DigestOf(login.User, credential.Hash.Stored), 0))
            return;
        var item = new Item(login.User, credential, password.ToArray());
        if (!queue.TryAdd(item))
            Forget(item);
    }

    /// <summary>
    /// What was stored as <paramref name="stored"/> and is <paramref name="now"/> is the same password, put into another form here.
    /// </summary>
    public bool IsSame(string user, string stored, string now) =>
        followed.TryGetValue(DigestOf(user, stored), out var after) && string.Equals(after, DigestOf(user, now), StringComparison.Ordinal);

    /// <summary>What is under way is finished, the rest is left to the next login.</summary>
    public void Dispose()
    {
        queue.CompleteAdding();
        while (queue.TryTake(out var left))
            Forget(left);
        thread.Join();
        queue.Dispose();
    }

    /// <summary>Nothing waits and nothing is under way; for tests.</summary>
    internal bool IsIdle => underWay.IsEmpty;

    private void Work()
    {
        HashingPool.LowerPriority();
        foreach (var item in queue.GetConsumingEnumerable())
        {
            try
            {
                Replace(item);
            }
            finally
            {
                Forget(item);
            }
        }
    }

    private void Replace(Item item)
    {
        try
        {
            var made = ScramHash.ForTyped(new Secret(Encoding.UTF8.GetString(item.Password)));
            // Before it is there: a session that rests on the old one may be asked at any moment.
            if (followed.Count >= MaxFollowed)
                followed.Clear();
            followed[DigestOf(item.User, item.Credential.Hash.Stored)] = DigestOf(item.User, made.Stored);
            if (!directory.Write(sql => DirectoryReader.ReplaceSecret(sql, item.User, item.Credential.Hash.Stored, made.Stored)))
                return; // it was changed or revoked meanwhile
            trouble = null;
            audit.Append(new AdminEvent(
                clock.GetUtcNow(),
                "postern",
                "credential strengthened",
                $"{item.User}: {item.Credential.Name}, {item.Credential.Hash.Scheme} to {made.Scheme}")
            {
                Changes = [new AdminChange("form", item.Credential.Hash.Scheme, made.Scheme)],
            });
        }
        catch (DirectoryUnavailableException e)
        {
            // Told once; the next login tries again.
            if (trouble != e.Message)
                audit.Append(new ServerEvent(clock.GetUtcNow(), "weak_form_kept", e.Message));
            trouble = e.Message;
        }
    }

    private void Forget(Item item)
    {
        CryptographicOperations.ZeroMemory(item.Password);
        underWay.TryRemove(DigestOf(item.User, item.Credential.Hash.Stored), out _);
    }

    private static string DigestOf(string user, string stored) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{user}\0{stored}")));

    private sealed record Item(string User, StoredCredential Credential, byte[] Password);
}
