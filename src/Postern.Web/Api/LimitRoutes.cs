using System.Collections.Immutable;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Policy.Limits;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>How much everybody may send, and has.</summary>
internal static class LimitRoutes
{
    private const long Longest = 31 * 86_400;

    private static readonly Parameter<string> Name = Parameter.Text(
        "name", "All limits of whoever has this name; nothing for all that are used");


    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/limits", Scopes.AccountsRead, "What is used of limits, the fullest first.", ListAsync)
        {
            Parameters = [Name],
            Gives = typeof(ImmutableArray<LimitUse>),
        },
        new("POST", "/limits/raise", Scopes.AccountsWrite, "Another limit for somebody, for a while.", RaiseAsync)
        {
            Takes = typeof(RaiseLimit),
            Gives = typeof(LimitChange),
        },
        new("POST", "/limits/undo", Scopes.AccountsWrite, "Ends what was raised.", UndoAsync)
        {
            Takes = typeof(UndoLimit),
            Gives = typeof(LimitChange),
        },
    ];

    private static async ValueTask<Answer> ListAsync(Call call) => Answer.Of<ImmutableArray<LimitUse>>(
        call.Server.Limits is { } limits ? await limits.ListAsync(call.Get(Name), call.Aborted) : []);

    private static async ValueTask<Answer> RaiseAsync(Call call)
    {
        var raise = call.Body<RaiseLimit>();
        if (raise is not { Count: > 0, Window: >= 0 and <= Longest, Lasts: > 0 and <= Longest })
            return Answer.Wrong(string.Empty, "a count, and times of at most 31 days belong here");
        return call.Server.Limits is { } limits
            ? Answer.Of(await limits.RaiseAsync(
                raise.Name,
                raise.Of,
                raise.What,
                new WindowLimit(raise.Count, TimeSpan.FromSeconds(raise.Window)),
                TimeSpan.FromSeconds(raise.Lasts),
                call.By,
                CancellationToken.None))
            : Answer.No(Problems.NotDone, "Nothing is limited here.");
    }

    private static async ValueTask<Answer> UndoAsync(Call call)
    {
        var undo = call.Body<UndoLimit>();
        return call.Server.Limits is { } limits
            ? Answer.Of(await limits.UndoAsync(undo.Name, undo.Of, undo.What, call.By, CancellationToken.None))
            : Answer.No(Problems.NotDone, "Nothing is limited here.");
    }
}
