using System.Collections.Immutable;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// The passwords and grants of all configured stores, as SASL mechanisms ask for them. Known, unknown and disabled users take
/// the same path through the hashing pool.
/// </summary>
public sealed partial class AccountVerifiers(IReadOnlyList<IAccountStore> stores, HashingPool pool, VerificationCache cache, TimeProvider clock, LoginFailures? failures = null)
    : IPasswordVerifier, IAuthorizationGrants
{
    private const string UnknownUser = "unknown user";

    /// <summary>The mechanisms that the stores can answer, strongest first; no other can ever be offered.</summary>
    public static ImmutableArray<string> Mechanisms { get; } = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"];

    /// <summary>What mechanisms may ask.</summary>
    public SaslContext Context => new() { Passwords = this, ScramSecrets = this, Grants = this };

    /// <summary>Logins from an address with too many failures are not looked at, so that they tell nothing and cost nothing.</summary>
    public async ValueTask<PasswordCheck> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        if (failures is null)
            return await AnswerAsync(user, password, peer, ct);
        if (failures.IsPaused(peer))
            return new PasswordCheck.Unavailable(LoginFailures.Reason);
        var answer = await AnswerAsync(user, password, peer, ct);
        if (answer is PasswordCheck.Match)
            failures.NoteSuccess(peer);
        else if (answer is PasswordCheck.NoMatch)
            failures.NoteFailure(peer);
        return answer;
    }

    /// <summary>Nobody may act as another; asking for oneself in another spelling is granted.</summary>
    public ValueTask<string?> ActAsAsync(string user, string authorizationId, CancellationToken ct) =>
        new(LoginNames.TryCanonical(authorizationId, out var canonical) && string.Equals(canonical, user, StringComparison.Ordinal) ? user : null);

    private async ValueTask<PasswordCheck> AnswerAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new PasswordCheck.NoMatch("the user name is not one that an account can have", UserExists: false);

        var (store, answer) = await FindAsync(canonical, ct);
        switch (answer)
        {
            case StoreAnswer.Known(var login):
                return await CheckAsync(store, login, password, peer, ct);
            case StoreAnswer.Unknown(var decoy):
                var wasted = await pool.CheckAsync(cache.KeyFor(store, decoy, password.Span), decoy, password, peer, clock.GetUtcNow(), ct);
                return wasted is LoginCheck.Busy(var busy) ? new PasswordCheck.Unavailable(busy) : new PasswordCheck.NoMatch(UnknownUser, UserExists: false);
            case StoreAnswer.Unavailable(var reason):
                return new PasswordCheck.Unavailable($"{store}: {reason}");
            default:
                return new PasswordCheck.Unavailable("no account store is configured");
        }
    }

    private async ValueTask<PasswordCheck> CheckAsync(string store, StoredLogin login, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        var key = cache.KeyFor(store, login, password.Span);
        if (login.Refusal is null && cache.Remembers(key))
            return new PasswordCheck.Match(login.User);

        switch (await pool.CheckAsync(key, login, password, peer, clock.GetUtcNow(), ct))
        {
            case LoginCheck.Match or LoginCheck.NoMatch when login.Refusal is { } refusal:
                return new PasswordCheck.NoMatch(refusal, UserExists: true);
            case LoginCheck.Match(var credential):
                cache.Remember(key, credential);
                return new PasswordCheck.Match(login.User);
            case LoginCheck.Unavailable(var reason):
                return new PasswordCheck.Unavailable($"{store}: {reason}");
            case LoginCheck.Busy(var reason):
                return new PasswordCheck.Unavailable(reason);
            case LoginCheck.NoMatch(var reason):
                return new PasswordCheck.NoMatch(reason, UserExists: true);
            default:
                return new PasswordCheck.NoMatch("the store gave no answer", UserExists: true);
        }
    }

    /// <summary>The first store that knows the user, or that cannot say; else the first store's decoy.</summary>
    private async ValueTask<(string Store, StoreAnswer? Answer)> FindAsync(string user, CancellationToken ct)
    {
        (string, StoreAnswer?) first = (string.Empty, null);
        foreach (var store in stores)
        {
            var answer = await store.FindAsync(user, ct);
            if (answer is not StoreAnswer.Unknown)
                return (store.Name, answer);
            if (first.Item2 is null)
                first = (store.Name, answer);
        }

        return first;
    }
}
