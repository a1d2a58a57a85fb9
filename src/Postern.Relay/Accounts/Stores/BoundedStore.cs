using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// A store that asks somebody else, as everybody here may ask it: with a deadline, once for all who want to know the same, never more at a
/// time than the other side can take, and not again for a while. What it remembers goes with it: a store that was configured anew remembers
/// nothing.
/// </summary>
internal sealed class BoundedStore(IAccountStore inner, StoreTerms terms, TimeProvider clock) : IAccountStore
{
    /// <summary>Stands for a password that the store itself has found right.</summary>
    private static readonly StoredCredential Right = new("the store", PasswordHash.Parse("*"), ExpiresAt: null);

    private readonly SharedQuestions<string, LoginAnswer> lookups = new(terms.MostQuestions, terms.Timeout, clock);
    private readonly SharedQuestions<VerificationKey, LoginAnswer> checks = new(terms.MostQuestions, terms.Timeout, clock);
    private readonly VerificationCache right = new(terms.Capacity, terms.Remember, clock);
    private readonly Lock gate = new();
    private readonly BoundedMap<(LoginAnswer Answer, long At)> answers = new(Math.Max(1, terms.Capacity));
    private readonly BoundedMap<VerificationKey> latest = new(Math.Max(1, terms.Capacity));
    private HashCosts costs = HashCosts.None;

    public StoreTerms Terms => terms;

    public string Name => inner.Name;

    public StoredForms Forms => inner.Forms;

    public StoredForms CommonForms => inner.CommonForms;

    public HashCosts Costs
    {
        get
        {
            lock (gate)
                return costs.Most(inner.Costs);
        }
    }

    public string Realm => inner.Realm;

    public void Dispose() => inner.Dispose();

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) =>
        Known(user) is { } known ? new(known) : LookUpAsync(user, ct);

    /// <summary>Forgets what was said of a user before <paramref name="since"/>; false where nothing was.</summary>
    public bool Forget(string user, long since)
    {
        lock (gate)
            return answers.TryGet(user, out var known) && known.At < since && answers.Remove(user);
    }

    public bool AsksForClient => inner.AsksForClient;

    public ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct) =>
        CheckPasswordAsync(user, password, peer: null, ct);

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, string? peer, CancellationToken ct)
    {
        peer = AsksForClient ? peer : null;
        var key = right.KeyFor(
            peer is null ? Name : $"{Name} for {peer}", new StoredLogin(user, refusal: null, []), password.Octets.Span);
        var whose = peer is null ? user : $"{user}\n{peer}";
        if (terms.Remember > TimeSpan.Zero && IsLatest(whose, key) && right.Recall(key) is not null)
            return new LoginAnswer.Match(user);
        var answer = await GuardAsync(checks, key, async end =>
        {
            // The question may outlive the one who asks it, and his buffer.
            var copy = password.Octets.ToArray();
            try
            {
                return await inner.CheckPasswordAsync(user, new Password(copy), peer, end);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(copy);
            }
        }, "checking a password", ct);
        if (answer is LoginAnswer.Match && terms.Remember > TimeSpan.Zero)
        {
            right.Remember(key, Right);
            lock (gate)
                latest.Add(whose, key);
        }

        return answer;
    }

    /// <summary>No other password of the user has been right since: one that was changed there ends the old one.</summary>
    private bool IsLatest(string whose, VerificationKey key)
    {
        lock (gate)
            return latest.TryGet(whose, out var last) && last == key;
    }

    /// <summary>As a question of a login is asked, and nothing of it is remembered.</summary>
    public async ValueTask<string?> ProbeAsync(CancellationToken ct)
    {
        var answer = await GuardAsync(
            lookups,
            IAccountStore.NobodysName,
            async end => await inner.ProbeAsync(end) is { } words ? new LoginAnswer.Unavailable(words) : StoredLogin.Nobody,
            "a question for a try",
            ct);
        return answer.WhyOpen;
    }

    private async ValueTask<LoginAnswer> LookUpAsync(string user, CancellationToken ct)
    {
        var answer = await GuardAsync(lookups, user, end => inner.FindAsync(user, end), "a look-up", ct);
        // What is presumed costs nothing, and is known better after a login.
        if (answer is LoginAnswer.Found<StoredLogin> { Stored.IsPresumed: false } or LoginAnswer.NoMatch)
            Note(user, answer);
        return answer;
    }

    /// <summary>Of what the store throws only the type is told: its text may hold what the client sent.</summary>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "A store that throws cannot answer.")]
    private async ValueTask<LoginAnswer> GuardAsync<TKey>(
        SharedQuestions<TKey, LoginAnswer> questions,
        TKey key,
        Func<CancellationToken, ValueTask<LoginAnswer>> ask,
        string what,
        CancellationToken ct)
        where TKey : notnull
    {
        try
        {
            return await questions.AskAsync(key, ask, ct)
                ?? new LoginAnswer.Busy(
                    $"{terms.MostQuestions.ToString(CultureInfo.InvariantCulture)} questions are under way there already");
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (TimeoutException)
        {
            return new LoginAnswer.Unavailable(
                string.Create(CultureInfo.InvariantCulture, $"no answer within {terms.Timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception e)
        {
            return new LoginAnswer.Unavailable($"{what} threw {e.GetType().Name}");
        }
    }

    private LoginAnswer? Known(string user)
    {
        lock (gate)
            return answers.TryGet(user, out var known) && clock.GetElapsedTime(known.At) < terms.Remember ? known.Answer : null;
    }

    private void Note(string user, LoginAnswer answer)
    {
        lock (gate)
        {
            answers.Add(user, (answer, clock.GetTimestamp()));
            if (answer is LoginAnswer.Found<StoredLogin> { Stored: var login })
                costs = costs.Most(login.Costs);
        }
    }
}
