using System.Collections.Immutable;

namespace Postern.Relay.Accounts;

/// <content>For operators: what the stores say of a user, without any secret.</content>
public sealed partial class AccountVerifiers
{
    /// <summary>Each store in turn, and what it says; stores behind the one that answers are not asked, as in a login.</summary>
    public async ValueTask<ImmutableArray<(string Store, string Says)>> DescribeAsync(string user, CancellationToken ct)
    {
        var words = ImmutableArray.CreateBuilder<(string, string)>();
        if (!LoginNames.TryCanonical(user, out var canonical))
            return [("-", "this is not a name that an account can have")];
        var isAnswered = false;
        foreach (var store in stores)
        {
            var answer = isAnswered ? null : await store.FindAsync(canonical, ct);
            if (answer is StoreAnswer.Known({ LeavesLogin: false } found))
                answer = await JudgeAsync(answer, found.User, ct);
            words.Add((store.Name, answer switch
            {
                null => "not asked any more",
                StoreAnswer.Known({ LeavesLogin: true } login) => $"knows {login.User}, without a credential: a store behind it may log it in",
                StoreAnswer.Known(var login) => Describe(login),
                StoreAnswer.Unavailable(var reason) => $"cannot answer: {reason}",
                StoreAnswer.Unknown => $"knows no {canonical}",
                _ => "cannot answer",
            }));
            isAnswered = isAnswered || answer is not (StoreAnswer.Unknown or StoreAnswer.Known({ LeavesLogin: true }));
        }

        return words.ToImmutable();
    }

    /// <summary>The store whose credentials log the user in, whether it is disabled or not; null where there is none, or a store cannot say.</summary>
    public async ValueTask<(string Store, StoredLogin Login)?> FindLoginAsync(string user, CancellationToken ct) =>
        LoginNames.TryCanonical(user, out var canonical) && await FindAsync(canonical, ct) is ({ } store, StoreAnswer.Known(var login)) && !login.Credentials.IsEmpty
            ? (store.Name, login)
            : null;

    private string Describe(StoredLogin login)
    {
        var now = clock.GetUtcNow();
        var credentials = login.Refusal is not null and not StoredLogin.Disabled ? [] : login.Credentials.Select(c => $"{c.Hash.Description} ({c.Name}{(c.ExpiresAt <= now ? ", expired" : string.Empty)})");
        return $"knows {login.User}: {(login.Refusal is { } refusal ? $"{refusal}; " : string.Empty)}{string.Join(", ", credentials)}".TrimEnd(' ', ';');
    }
}
