using System.Collections.Concurrent;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A store as one over a network is: its answers come when the test lets them. Users with a password are checked by it, others have what they were given.</summary>
internal sealed class FarStore(string name = "far") : IAccountStore
{
    private readonly ConcurrentDictionary<string, StoredLogin> users = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> passwords = new(StringComparer.Ordinal);
    private volatile TaskCompletionSource? gate;
    private int asked;
    private int checks;
    private int left;

    public string Name => name;

    public StoredForms Forms => StoredForms.All;

    public StoredForms CommonForms => StoredForms.Password;

    public string Realm => "mail.example.org";

    /// <summary>Look-ups that have begun.</summary>
    public int Asked => Volatile.Read(ref asked);

    /// <summary>Checks of a password that have begun.</summary>
    public int Checked => Volatile.Read(ref checks);

    /// <summary>Questions that were cancelled.</summary>
    public int Left => Volatile.Read(ref left);

    public bool IsDisposed { get; private set; }

    public LoginAnswer? Trouble { get; set; }

    public Exception? Throws { get; set; }

    /// <summary>Questions do not heed that they were cancelled.</summary>
    public bool IsDeaf { get; set; }

    public FarStore Add(StoredLogin login)
    {
        users[login.User] = login;
        return this;
    }

    public FarStore Add(string user, string password, Account? account = null, string? refusal = null)
    {
        passwords[user] = password;
        return Add(new StoredLogin(user, refusal, []) { IsCheckedByStore = true, IsDisabled = refusal is not null, Account = account ?? Account.Of(user) });
    }

    /// <summary>As an administrator of the other side would.</summary>
    public void Remove(string user) => users.TryRemove(user, out _);

    public void Close() => gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => gate?.TrySetResult();

    public IAccountStore Bound(ManualClock clock, StoreTerms? terms = null) => AccountStores.Bound(this, terms ?? new StoreTerms(), clock);

    /// <summary>So many look-ups have begun.</summary>
    public async Task UntilAskedAsync(int count)
    {
        while (Asked < count)
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    public async ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
    {
        Interlocked.Increment(ref asked);
        await PassAsync(ct);
        return Trouble ?? (users.TryGetValue(user, out var login) ? login.ToAnswer() : StoredLogin.Nobody);
    }

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct)
    {
        Interlocked.Increment(ref checks);
        await PassAsync(ct);
        return Trouble ?? (passwords.TryGetValue(user, out var right) && password.Matches(right) ? new LoginAnswer.Match(user) : new LoginAnswer.NoMatch("the other side says no", UserExists: true));
    }

    public void Dispose() => IsDisposed = true;

    private async Task PassAsync(CancellationToken ct)
    {
        if (Throws is { } e)
            throw e;
        if (gate is not { } closed)
            return;
        try
        {
            await closed.Task.WaitAsync(IsDeaf ? CancellationToken.None : ct);
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref left);
            throw;
        }
    }
}
