using System.Collections.Immutable;

namespace Postern.Sasl.Verifiers;

/// <summary>
/// What is answered to a question about a login, from the store that is asked to the mechanism that asks: is the password or the token
/// right, what is kept of the user, may a proof be judged, does the login still hold. Each question says which of these it can have;
/// whoever gets another one does not log in.
/// </summary>
/// <remarks>
/// Every reason is for the audit trail only. The client is told by the kind of the answer alone (<see cref="SaslError"/>).
/// </remarks>
public abstract record LoginAnswer
{
    private LoginAnswer()
    {
    }

    /// <summary>Words for the client; null for the protocol's own.</summary>
    public OutcomeText? Text { get; init; }

    /// <summary>
    /// Asked when nobody is logged in: what is told in place of a refusal, where that would show what this client may not learn, such as
    /// which of several stores knows the user; null where there is nothing of that kind, and so is what it answers then.
    /// </summary>
    public Func<CancellationToken, ValueTask<LoginAnswer?>>? InPlaceOfNo { get; init; }

    /// <summary>
    /// How many proofs are computed at least, where a mechanism computes one for each secret that a challenge serves: as many as for the
    /// user who has most of them, so that the time tells nobody from another.
    /// </summary>
    public int Proofs { get; init; } = 1;

    /// <summary>Yes: the password or token is right, the grant is there. <paramref name="User"/> is the user's canonical name.</summary>
    public sealed record Match(string User) : LoginAnswer
    {
        /// <summary>Kept with the login for whoever asks later; not printed.</summary>
        public object? LoginData { get; init; }

        /// <summary>Whether this still holds, for as long as the login is used; null where nobody can say, and then it holds.</summary>
        public ILoginAuthority? Authority { get; init; }

        /// <summary>
        /// Which of the user's secrets it was, by a name that tells nothing of it; null where the store has no names, or it was no secret.
        /// </summary>
        public string? Credential { get; init; }

        /// <summary>The same answer about the same user; what is kept with it is not compared.</summary>
        public bool Equals(Match? other) => other is not null && User == other.User && Text == other.Text;

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(User, Text);

        /// <summary>The user, and nothing of what is kept.</summary>
        public override string ToString() => User;
    }

    /// <summary>Everything that a login rests on is as it was.</summary>
    public sealed record Holds : LoginAnswer
    {
        private Holds()
        {
        }

        /// <summary>It holds no state.</summary>
        public static Holds Instance { get; } = new();
    }

    /// <summary>What is kept of a user, for whoever judges its password or proof: alone it proves nothing.</summary>
    /// <param name="User">The canonical name.</param>
    /// <param name="Stored">A secret stays the store's.</param>
    /// <param name="Refusal">
    /// Why the user may not log in although the proof may be right, such as a disabled account; null when it may.
    /// </param>
    /// <typeparam name="T">Such as <see cref="ScramSecret"/> or <see cref="SharedSecret"/>.</typeparam>
    public sealed record Found<T>(string User, T Stored, string? Refusal = null) : LoginAnswer
        where T : class
    {
        /// <summary>Kept with the login for whoever asks later, once the proof is right; not printed.</summary>
        public object? LoginData { get; init; }

        /// <summary>Whether this still holds, for as long as the login is used; null where nobody can say, and then it holds.</summary>
        public ILoginAuthority? Authority { get; init; }

        /// <summary>
        /// Which of the user's secrets it is, by a name that tells nothing of it; null where the store has no names.
        /// </summary>
        public string? Credential { get; init; }

        /// <summary>
        /// Asked when the proof is right and nothing else stands against the login: what is told in place of success; null for success.
        /// Null here where nobody wants to know.
        /// </summary>
        public Func<CancellationToken, ValueTask<LoginAnswer?>>? InPlaceOfYes { get; init; }

        /// <summary>
        /// Others of the user's secrets that the same challenge serves, of SCRAM those with the same salt and count: whoever proves one of
        /// them has logged in by that one.
        /// </summary>
        public ImmutableArray<Found<T>> Alike { get; init; } = [];

        /// <summary>The user, and nothing of what is stored.</summary>
        public override string ToString() => User;
    }

    /// <summary>
    /// The proof that has come is judged now. <paramref name="State"/> is the listener's own (<see cref="IProofListener"/>).
    /// </summary>
    public sealed record Judge(object? State) : LoginAnswer
    {
        /// <summary>For listeners that keep nothing.</summary>
        public static Judge Always { get; } = new((object?)null);

        /// <summary>Nothing of what the listener keeps.</summary>
        public override string ToString() => nameof(Judge);
    }

    /// <summary>
    /// No: wrong, unknown or disabled; no secret of the kind that was asked for; what the login rests on is there no more.
    /// </summary>
    /// <param name="UserExists">
    /// For the audit trail, like the reason: people type passwords as user names, so a name that does not exist is to be masked there.
    /// </param>
    public sealed record NoMatch(string Reason, bool UserExists = false) : LoginAnswer
    {
        /// <summary>Whom a token speaks for; for the audit trail only.</summary>
        public string? ClaimedUser { get; init; }

        /// <summary>
        /// Which of the user's secrets was right and may not be used, by a name that tells nothing of it; for the audit trail only. Null
        /// where none was.
        /// </summary>
        public string? Credential { get; init; }

        /// <summary>The scope that a token would need, for the client; null when none is known.</summary>
        public string? Scope { get; init; }

        /// <summary>
        /// The canonical name, so that all spellings of it see one made-up salt, as those of a user that exists do. Null: as it was asked
        /// for.
        /// </summary>
        public string? User { get; init; }

        /// <summary>
        /// What a user like this one would have in SCRAM: a count that differs would give it away. Null: that of <see cref="Decoys"/>.
        /// </summary>
        public int? Iterations { get; init; }
    }

    /// <summary>
    /// Not by this mechanism: <see cref="SaslError.TooWeak"/>, or <see cref="SaslError.TransitionNeeded"/> where a login by PLAIN would
    /// make the secret. The client learns that the user exists: where a password was shown, say it to the right one only.
    /// </summary>
    public sealed record Refused(SaslError Error, string Reason) : LoginAnswer;

    /// <summary>It cannot be said now: somebody who had to be asked does not answer.</summary>
    public sealed record Unavailable(string Reason) : LoginAnswer;

    /// <summary>It cannot be said now: nobody was asked, for there is no room here for the question.</summary>
    public sealed record Busy(string Reason) : LoginAnswer;

    /// <summary>Nobody was asked, for too many wrong secrets came from there; the session ends.</summary>
    public sealed record TooMany(string Reason) : LoginAnswer;

    /// <summary>Why it cannot be said now; null where it can: for every other answer.</summary>
    public string? WhyOpen => this switch
    {
        Unavailable(var reason) => reason,
        Busy(var reason) => reason,
        _ => null,
    };
}
