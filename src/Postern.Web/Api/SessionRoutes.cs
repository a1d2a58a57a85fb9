using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Smtp.Session;
using Postern.Web.Access;
using Postern.Web.Calls;

namespace Postern.Web.Api;

/// <summary>SMTP sessions that are open.</summary>
internal static class SessionRoutes
{
    private static readonly Parameter<ImmutableArray<string>?> Id = Parameter.Names(
        "id", "One of these sessions; it may stand more than once");

    private static readonly Parameter<string> Login = Parameter.Text("login", "Logged in as this account, or by it for another");
    private static readonly Parameter<string> Client = Parameter.Network("client", "From this address or network");

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/sessions", Scopes.StatusRead, "Sessions that are open, the oldest first.", ListAsync)
        {
            Parameters = [Id, Login, Client],
            Gives = typeof(ImmutableArray<SessionItem>),
        },
        new("POST", "/sessions/end", Scopes.ServerWrite, "Ends sessions, with 421.", EndAsync)
        {
            Takes = typeof(SessionFilter),
            Gives = typeof(SessionChange),
        },
        new("POST", "/sessions/review", Scopes.AccountsWrite, "Ends at once the sessions whose login is gone.", ReviewAsync)
        {
            Gives = typeof(LoginsReviewed),
        },
    ];

    private static ValueTask<Answer> ListAsync(Call call) => new(Answer.Of(call.Server.Sessions.List(
        new SessionFilter { Ids = call.Get(Id) ?? [], Login = call.Get(Login), Client = call.Get(Client) })));

    private static ValueTask<Answer> EndAsync(Call call) => new(Answer.Of(call.Server.Sessions.End(call.Body<SessionFilter>(), call.By)));

    private static async ValueTask<Answer> ReviewAsync(Call call) => Answer.Of(await call.Server.Sessions.ReviewAsync(call.Aborted));
}
