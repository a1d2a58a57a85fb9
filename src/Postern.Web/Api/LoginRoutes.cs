using System.Collections.Immutable;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Policy.Watching;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>Logins: whose guesses are slowed, who sends unlike himself, what the stores say.</summary>
internal static class LoginRoutes
{
    private static readonly Parameter<string> Target = Parameter.Text("target", "An address, a network or an account");
    private static readonly Parameter<string> User = Parameter.Text("user", "The name, as a client would give it");
    private static readonly Parameter<string> Listener = Parameter.Text("listener", "One that asks some stores only; nothing for all");
    private static readonly Parameter<bool?> Everybody = Parameter.Flag("all", "Also those that are as always");

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/logins/paused", Scopes.AccountsRead, "Who is slowed or paused for wrong logins, the fullest first.", BlocksAsync)
        {
            Parameters = [Target],
            Gives = typeof(ImmutableArray<LoginBlock>),
        },
        new("DELETE", "/logins/paused", Scopes.AccountsWrite, "Forgets the wrong logins of an address, a network or an account.", LiftAsync)
        {
            Parameters = [Target],
            Gives = typeof(Lifted),
        },
        new("GET", "/logins/stores", Scopes.AccountsRead, "What each store of accounts says of a user.", StoresAsync)
        {
            Parameters = [User, Listener],
            Gives = typeof(ImmutableArray<StoreWordDocument>),
        },
        new("GET", "/logins/watched", Scopes.AccountsRead, "Who sends unlike himself.", WatchedAsync)
        {
            Parameters = [Everybody],
            Gives = typeof(ImmutableArray<WatchState>),
        },
        new("POST", "/logins/watched/forgive", Scopes.AccountsWrite, "Takes what somebody sent for his own.", ForgiveAsync)
        {
            Takes = typeof(ForgiveLogin),
            Gives = typeof(ForgivenLogins),
        },
    ];

    private static ValueTask<Answer> BlocksAsync(Call call) =>
        new(Answer.Of(call.Server.Logins?.Blocks(call.Get(Target)) ?? []));

    private static ValueTask<Answer> LiftAsync(Call call) => new(call.Get(Target) is { } target
        ? Answer.Of(new Lifted(call.Server.Logins?.Lift(target, call.By) ?? 0))
        : Answer.Wrong("?target", "whose logins is missing"));

    private static async ValueTask<Answer> StoresAsync(Call call)
    {
        if (call.Get(User) is not { } user)
            return Answer.Wrong("?user", "who is missing");
        return Answer.Of<ImmutableArray<StoreWordDocument>>(
            call.Server.AskStores is { } ask ? await ask(user, call.Get(Listener), call.Aborted) : []);
    }

    private static ValueTask<Answer> WatchedAsync(Call call) =>
        new(Answer.Of<ImmutableArray<WatchState>>(call.Server.Watch?.List(call.Get(Everybody) ?? false) ?? []));

    private static async ValueTask<Answer> ForgiveAsync(Call call) => Answer.Of(call.Server.Watch is { } watch
        ? await watch.ForgiveAsync(call.Body<ForgiveLogin>().Login, call.By, CancellationToken.None)
        : new ForgivenLogins([]));
}
