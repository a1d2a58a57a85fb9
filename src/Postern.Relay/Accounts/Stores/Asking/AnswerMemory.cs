using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Asking;

/// <summary>
/// What a store has said of users, for as long as it may be believed. Those whom it knows stand apart from those whom it does not, so that
/// names which strangers make up push nobody out. Any thread may ask.
/// </summary>
internal sealed class AnswerMemory(StoreTerms terms, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly HalvedMap<string, Entry> known = new(terms.Capacity);
    private readonly HalvedMap<string, long> nobody = new(terms.Capacity);

    /// <summary>What was said of the user and still counts; null where the store is to be asked.</summary>
    public LoginAnswer? Recall(string user)
    {
        lock (gate)
        {
            if (known.TryGet(user, out var entry))
                return !entry.IsForgotten && clock.GetElapsedTime(entry.At) < terms.Remember ? entry.Answer : null;
            if (!nobody.TryGet(user, out var at))
                return null;
            if (clock.GetElapsedTime(at) < terms.RememberNobody)
                return StoredLogin.Nobody;
            nobody.Remove(user);
            return null;
        }
    }

    /// <summary>
    /// The user as it was, for a time in which the store cannot answer: also one who was forgotten, for then everybody could end that by a
    /// wrong password. Nobody is remembered as nobody: he may be there by now.
    /// </summary>
    /// <param name="age">How long ago the store was asked.</param>
    public LoginAnswer.Found<StoredLogin>? RecallOld(string user, out TimeSpan age)
    {
        lock (gate)
        {
            age = known.TryGet(user, out var entry) ? clock.GetElapsedTime(entry.At) : TimeSpan.MaxValue;
            return age < terms.StaleOnOutage ? entry.Answer : null;
        }
    }

    /// <param name="begun">When the store was asked: what it says is as old as that.</param>
    public void Note(string user, LoginAnswer answer, long begun)
    {
        lock (gate)
        {
            if (known.TryGet(user, out var before) && before.At > begun)
                return;
            switch (answer)
            {
                case LoginAnswer.Found<StoredLogin> found:
                    nobody.Remove(user);
                    known.Put(user, new Entry(found, begun, IsForgotten: false));
                    break;
                case LoginAnswer.NoMatch:
                    known.Remove(user);
                    nobody.Put(user, begun);
                    break;
            }
        }
    }

    /// <summary>What was said before <paramref name="since"/> counts no more; false where nothing was.</summary>
    public bool Forget(string user, long since)
    {
        lock (gate)
        {
            if (known.TryGet(user, out var entry))
            {
                if (entry.IsForgotten || entry.At >= since)
                    return false;
                known.Put(user, entry with { IsForgotten = true });
                return true;
            }

            return nobody.TryGet(user, out var at) && at < since && nobody.Remove(user);
        }
    }

    private readonly record struct Entry(LoginAnswer.Found<StoredLogin> Answer, long At, bool IsForgotten);
}
