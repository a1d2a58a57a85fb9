using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// A store that asks somebody else, as everybody here may ask it: with a deadline, once for all who want to know the same, never more at a
/// time than the other side can take (the others wait for a turn), and not again for a while. What it remembers goes with it: a store that
/// was configured anew remembers nothing.
/// </summary>
/// <param name="health">Hears how it answers.</param>
internal sealed class BoundedStore(IAccountStore inner, StoreTerms terms, StoreHealth health, TimeProvider clock) : IAccountStore
{
    /// <summary>Stands for a password that the store itself has found right.</summary>
    private static readonly StoredCredential Right = new("the store", PasswordHash.Parse("*"), ExpiresAt: null);

    private readonly SharedQuestions<string, LoginAnswer> lookups = new(terms.MostQuestions, terms.Timeout, clock);
    private readonly SharedQuestions<VerificationKey, LoginAnswer> checks = new(terms.MostQuestions, terms.Timeout, clock);
    private readonly SharedQuestions<long, LoginAnswer> steps = new(terms.MostQuestions, terms.Timeout, clock);
    private readonly VerificationCache right = new(terms.Capacity, terms.Remember, clock) { KeepFor = terms.StaleOnOutage };
    private readonly BoundedMap<VerificationKey> latest = new(Math.Max(1, terms.Capacity));
    private readonly AnswerMemory memory = new(terms, clock);
    private readonly Lock gate = new();
    private HashCosts costs = terms.Decoy is { } decoy ? HashCosts.Of([PasswordHash.Parse(decoy.Reveal())]) : HashCosts.None;
    private long lastStep;

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

    public StoreCondition Condition => health.Condition with
    {
        UnderWay = lookups.UnderWay + checks.UnderWay + steps.UnderWay,
        Waiting = lookups.Waiting + checks.Waiting + steps.Waiting,
        Most = terms.MostQuestions,
        InOutage = terms.InOutage,
    };

    /// <summary>The bounds around a store, whatever else is; null where there are none.</summary>
    public static BoundedStore? Around(IAccountStore store) => store switch
    {
        BoundedStore bounded => bounded,
        RoutedStore { Inner: var inner } => Around(inner),
        _ => null,
    };

    public IMechanismStore? OwnMechanisms =>
        field ??= inner.OwnMechanisms is { } own ? new BoundedMechanisms(this, own) : null;

    public void Dispose() => inner.Dispose();

    /// <summary>One message of an exchange with it, within the same bounds as any other question; none is another's answer.</summary>
    internal ValueTask<LoginAnswer> StepAsync(IStoreExchange exchange, ReadOnlyMemory<byte>? response, CancellationToken ct) =>
        GuardAsync(
            steps,
            Interlocked.Increment(ref lastStep),
            async end =>
            {
                // The question may outlive the one who asks it, and his buffer.
                var copy = response?.ToArray();
                try
                {
                    return await AskAsync(() => exchange.NextAsync(copy is null ? new ReadOnlyMemory<byte>?() : copy.AsMemory(), end), end);
                }
                finally
                {
                    CryptographicOperations.ZeroMemory(copy);
                }
            },
            "a message of an exchange",
            ct);

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
    {
        if (memory.Recall(user) is not { } known)
            return LookUpAsync(user, ct);
        health.Remembered();
        return new(known);
    }

    /// <summary>What it has said of the user still counts.</summary>
    public bool Remembers(string user) => memory.Recall(user) is not null;

    /// <summary>The user as it was before the store stopped answering; null where that is not to be used.</summary>
    /// <param name="age">How long ago the store was asked.</param>
    public LoginAnswer.Found<StoredLogin>? FindOld(string user, out TimeSpan age)
    {
        age = default;
        if (terms.StaleOnOutage <= TimeSpan.Zero || memory.RecallOld(user, out age) is not { } old)
            return null;
        health.StoodIn();
        return old;
    }

    /// <summary>
    /// What was said of a user before <paramref name="since"/>, or was asked before it, counts no more; false where nothing was.
    /// </summary>
    public bool Forget(string user, long since) => memory.Forget(user, since) | lookups.Outdate(user, since);

    public bool AsksForClient => inner.AsksForClient;

    public ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct) =>
        CheckPasswordAsync(user, password, client: default, ct);

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, LoginClient client, CancellationToken ct)
    {
        client = AsksForClient ? client : default;
        var key = right.KeyFor(
            client.Kind is { } kind ? $"{Name} for {kind}" : Name, new StoredLogin(user, refusal: null, []), password.Octets.Span);
        var whose = client.Kind is { } one ? $"{user}\n{one}" : user;
        if (IsLatest(whose, key) && right.Recall(key) is not null)
        {
            health.Remembered();
            return new LoginAnswer.Match(user);
        }

        var answer = await GuardAsync(checks, key, async end =>
        {
            // The question may outlive the one who asks it, and his buffer.
            var copy = password.Octets.ToArray();
            try
            {
                return await AskAsync(() => inner.CheckPasswordAsync(user, new Password(copy), client, end), end);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(copy);
            }
        }, "checking a password", ct);
        if (answer is LoginAnswer.Match)
        {
            right.Remember(key, Right);
            lock (gate)
                latest.Add(whose, key);
        }

        if (answer.WhyOpen is not { } why || !IsLatest(whose, key) || right.Recall(key, terms.StaleOnOutage, out var age) is null)
            return answer;
        health.StoodIn();
        return new LoginAnswer.Match(user) { LoginData = StoreFinding.OldAnswer(age, $"{Name}: {why}") };
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
            end => AskAsync(
                async () => await inner.ProbeAsync(end) is { } words ? new LoginAnswer.Unavailable(words) : StoredLogin.Nobody, end),
            "a question for a try",
            ct);
        return answer.WhyOpen;
    }

    public async ValueTask<LoginAnswer?> CheckNobodyAsync(CancellationToken ct)
    {
        var isAsked = true;
        var key = right.KeyFor(Name, new StoredLogin(Guid.NewGuid().ToString(), refusal: null, []), []);
        var answer = await GuardAsync(checks, key, async end =>
        {
            var nobody = await inner.CheckNobodyAsync(end);
            isAsked = nobody is not null;
            return nobody ?? StoredLogin.Nobody;
        }, "checking a password", ct);
        return isAsked ? answer : null;
    }

    private async ValueTask<LoginAnswer> LookUpAsync(string user, CancellationToken ct) =>
        await GuardAsync(
            lookups,
            user,
            async end =>
            {
                var begun = clock.GetTimestamp();
                var answer = await AskAsync(() => inner.FindAsync(user, end), end);
                Note(user, answer, begun);
                return answer;
            },
            "a look-up",
            ct);

    /// <summary>Asks, and tells how long that took where it came to an answer in time.</summary>
    private async ValueTask<LoginAnswer> AskAsync(Func<ValueTask<LoginAnswer>> ask, CancellationToken end)
    {
        var begun = clock.GetTimestamp();
        var answer = await ask();
        if (!end.IsCancellationRequested && answer is { WhyOpen: null })
            health.Answered(clock.GetElapsedTime(begun));
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
        string why;
        health.Asked();
        try
        {
            var answer = await questions.AskAsync(key, ask, ct);
            if (answer is null)
            {
                health.TurnedAway();
                return new LoginAnswer.Busy(string.Create(
                    CultureInfo.InvariantCulture,
                    $"no turn among the {terms.MostQuestions} questions that are asked there at a time (pool)"));
            }

            if (answer.WhyOpen is not { } open)
                return answer;
            health.Failed(open, terms.InOutage);
            return answer;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (TimeoutException)
        {
            why = string.Create(CultureInfo.InvariantCulture, $"no answer within {terms.Timeout.TotalSeconds:0.###} s");
        }
        catch (Exception e)
        {
            why = $"{what} threw {e.GetType().Name}";
        }

        health.Failed(why, terms.InOutage);
        return new LoginAnswer.Unavailable(why);
    }

    private void Note(string user, LoginAnswer answer, long begun)
    {
        // What is presumed costs nothing, and is known better after a login.
        if (answer is not LoginAnswer.Found<StoredLogin> { Stored.IsPresumed: true })
            memory.Note(user, answer, begun);
        if (answer is not LoginAnswer.Found<StoredLogin> { Stored: var login })
            return;
        lock (gate)
            costs = costs.Most(login.Costs);
    }
}
