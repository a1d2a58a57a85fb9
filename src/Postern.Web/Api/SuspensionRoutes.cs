using System.Collections.Immutable;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Policy.Suspending;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>Who sends nothing for a while.</summary>
internal static class SuspensionRoutes
{
    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/suspensions", Scopes.AccountsRead, "Who sends nothing for a while, and why.", ListAsync)
        {
            Gives = typeof(ImmutableArray<Suspension>),
        },
        new("POST", "/suspensions", Scopes.AccountsWrite, "Has an account, a credential or a tenant send nothing.", SuspendAsync)
        {
            Takes = typeof(SuspendSender),
            Gives = typeof(SenderSuspension),
        },
        new("POST", "/suspensions/resume", Scopes.AccountsWrite, "Lets them send again.", ResumeAsync)
        {
            Takes = typeof(ResumeSender),
            Gives = typeof(SenderSuspension),
        },
    ];

    private static ValueTask<Answer> ListAsync(Call call) =>
        new(Answer.Of<ImmutableArray<Suspension>>(call.Server.Suspended?.List() ?? []));

    private static async ValueTask<Answer> SuspendAsync(Call call)
    {
        var whom = call.Body<SuspendSender>();
        if (whom.Lasts <= 0 || whom.Lasts > Suspension.Longest.TotalSeconds)
            return Answer.Wrong("/lasts", "a time of at most 366 days belongs here");
        return call.Server.Suspended is { } suspended
            ? Answer.Of(await suspended.SuspendAsync(
                whom.Of, whom.Name, whom.Reason, TimeSpan.FromSeconds(whom.Lasts), call.By, CancellationToken.None))
            : Answer.No(Problems.NotDone, "Nobody is suspended here.");
    }

    private static async ValueTask<Answer> ResumeAsync(Call call)
    {
        var whom = call.Body<ResumeSender>();
        return call.Server.Suspended is { } suspended
            ? Answer.Of(await suspended.ResumeAsync(whom.Of, whom.Name, call.By, CancellationToken.None))
            : Answer.No(Problems.NotDone, "Nobody is suspended here.");
    }
}
