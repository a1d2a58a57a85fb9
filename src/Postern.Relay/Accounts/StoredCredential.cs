using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts;

/// <summary>One of a user's secrets, hashed.</summary>
/// <param name="Name">The label, or the number when it has none.</param>
/// <param name="ExpiresAt">From this moment on it is refused; null never.</param>
public sealed record StoredCredential(string Name, PasswordHash Hash, DateTimeOffset? ExpiresAt)
{
    /// <summary>
    /// Its number in the directory, which no other one ever has; null for a credential of another store. Public: <see cref="Id"/> stands in
    /// the log of each login with it.
    /// </summary>
    public long? Number { get; init; }

    /// <summary>The number as it is written, <c>#7</c>; null where there is none.</summary>
    public string? Id { get; init; }

    /// <summary>It was made for one program or device: where a challenge can name one secret only, others go before it.</summary>
    public bool IsApp { get; init; }

    /// <summary>Where it may be used, and what for.</summary>
    public CredentialLimits Limits { get; init; } = CredentialLimits.None;

    /// <summary>Why it may not be used where it is used now, as a sentence; null where it may.</summary>
    internal string? Obstacle { get; init; }

    /// <summary>By its label, or by its number with or without <c>#</c>.</summary>
    public bool IsNamed(string text) =>
        string.Equals(Name, text, StringComparison.Ordinal)
        || (Id is { } id && id.AsSpan(1).Equals(text.AsSpan().TrimStart('#'), StringComparison.Ordinal));

    /// <summary>Why its secret does not log in from there, as a sentence; null where it does.</summary>
    public string? WhyNot(LoginOrigin origin, DateTimeOffset now) => WhyExpired(now) ?? WhyNot(origin);

    /// <summary>The same but for the time.</summary>
    internal string? WhyNot(LoginOrigin origin) => Limits.WhyNot(origin) is { } obstacle ? $"the credential {Said} {obstacle}" : null;

    internal string? WhyExpired(DateTimeOffset now) => ExpiresAt <= now ? $"the credential {Said} expired at {ExpiresAt:u}" : null;

    /// <summary>For sentences: the label with the number, as far as there are both.</summary>
    internal string Said => Id is null || Id == Name ? Name : $"{Name} ({Id})";
}
