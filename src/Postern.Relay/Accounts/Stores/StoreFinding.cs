using System.Globalization;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>What the stores, asked in their order, say of a user.</summary>
/// <param name="Store">The one that answers; null where none is configured.</param>
/// <param name="Answer">What is kept of the user, that nobody knows it, or that it cannot be said.</param>
/// <param name="Next">The place of the first store that was not asked.</param>
/// <param name="Trouble">A store that cannot answer and was passed over, in its own words; null for none.</param>
public readonly record struct StoreFinding(IAccountStore? Store, LoginAnswer Answer, int Next, LoginAnswer? Trouble = null)
{
    /// <summary>
    /// Whose account it is, of those that share the server; null for nobody's in particular. What the directory says counts before what the
    /// store says.
    /// </summary>
    public string? Tenant { get => field ?? (Answer as LoginAnswer.Found<StoredLogin>)?.Stored.Account.Tenant; init; }

    /// <summary>What a store has said of the user before it was in trouble is this old; null for an answer of now.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>Other users have an answer all the same, from another store or from before: so nobody is told at once.</summary>
    public bool HasAnswersForSome { get; init; }

    /// <summary>What the log says beside a login by this; null for nothing.</summary>
    public string? Aside => Trouble?.WhyOpen is not { } trouble ? null
        : Age is { } age ? OldAnswer(age, trouble)
        : $"passed over {trouble}";

    /// <summary>The same user with the same secrets, or nobody both times.</summary>
    public bool IsAs(StoreFinding other) => (Answer, other.Answer) switch
    {
        (LoginAnswer.Found<StoredLogin> { Stored: var one }, LoginAnswer.Found<StoredLogin> { Stored: var two }) =>
            Store == other.Store && one.Stamp.SequenceEqual(two.Stamp),
        (LoginAnswer.NoMatch, LoginAnswer.NoMatch) => true,
        _ => false,
    };

    /// <summary>Nothing can be said of this user, and somebody else would have had an answer.</summary>
    public bool IsOpenForSome => Answer.WhyOpen is not null && (Next > 1 || HasAnswersForSome);

    /// <summary>How a login by what was said before is told of.</summary>
    internal static string OldAnswer(TimeSpan age, string trouble) =>
        string.Create(CultureInfo.InvariantCulture, $"by an answer that is {age.TotalSeconds:0} s old: {trouble}");
}
