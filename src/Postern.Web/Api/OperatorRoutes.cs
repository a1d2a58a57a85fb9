using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>
/// The people who may use the console. A lost password is reset on the machine (<c>postern operator reset</c>) and by no call.
/// </summary>
internal static class OperatorRoutes
{
    private static readonly Parameter<string> Name = Parameter.Text("operator", "As the operator signs in");
    private static readonly Parameter<int?> Session = Parameter.Count("session", "The number of a session", int.MaxValue);

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/operators", Scopes.Owner, "All operators, by name, and the invitations that wait.", ListAsync)
        {
            Gives = typeof(OperatorPage),
        },
        new("POST", "/operators/invitations", Scopes.Owner, "Makes a code by which somebody becomes an operator.", InviteAsync)
        {
            AsksProof = true,
            Takes = typeof(NewInvitation),
            Gives = typeof(InvitedDocument),
        },
        new("POST", "/operators/{operator}/role", Scopes.Owner, "Gives an operator another role; open sessions end.", SetRoleAsync)
        {
            AsksProof = true,
            Parameters = [Name],
            Takes = typeof(NewRole),
            Gives = typeof(OutcomeDocument),
        },
        new("POST", "/operators/{operator}/enable", Scopes.Owner, "Lets an operator sign in again.", EnableAsync)
        {
            AsksProof = true,
            Parameters = [Name],
            Gives = typeof(OutcomeDocument),
        },
        new("POST", "/operators/{operator}/disable", Scopes.Owner, "Ends the sessions of an operator, who signs in no more.", DisableAsync)
        {
            AsksProof = true,
            Parameters = [Name],
            Gives = typeof(OutcomeDocument),
        },
        new("DELETE", "/operators/{operator}", Scopes.Owner, "Removes an operator; open sessions end.", RemoveAsync)
        {
            AsksProof = true,
            Parameters = [Name],
            Gives = typeof(OutcomeDocument),
        },
        new("GET", "/operators/sessions", Scopes.Owner, "Who is signed in, the newest first.", SessionsAsync)
        {
            Parameters = [Name],
            Gives = typeof(ImmutableArray<SessionDetails>),
        },
        new("DELETE", "/operators/{operator}/sessions", Scopes.Owner, "Ends one session of an operator, or all.", EndAsync)
        {
            AsksProof = true,
            Parameters = [Name, Session],
            Gives = typeof(SessionsEnded),
        },
    ];

    private static ValueTask<Answer> ListAsync(Call call) =>
        new(call.Server.Access is { } access ? Answer.Of(access.Queries.Operators()) : DirectoryDoor.None);

    private static async ValueTask<Answer> InviteAsync(Call call)
    {
        if (call.Server.Access is not { } access)
            return DirectoryDoor.None;
        var asked = call.Body<NewInvitation>();
        var outcome = access.Commands(call.By).Operators.Invite(asked.Role, asked.Tenant);
        await call.Server.Audit.FlushAsync(call.Aborted);
        return outcome is Invited invited
            ? new Answer.Document(
                InvitedDocument.Of(invited, call.Server.Console), ApiJson.Of<InvitedDocument>(), Status: 201)
            : Answer.Of(outcome);
    }

    private static ValueTask<Answer> SetRoleAsync(Call call) => ChangeAsync(
        call, (operators, name) => operators.SetRole(name, call.Body<NewRole>().Role, call.Body<NewRole>().Tenant));

    private static ValueTask<Answer> EnableAsync(Call call) => ChangeAsync(call, static (operators, name) => operators.Enable(name));

    private static ValueTask<Answer> DisableAsync(Call call) => ChangeAsync(call, static (operators, name) => operators.Disable(name));

    private static ValueTask<Answer> RemoveAsync(Call call) => ChangeAsync(call, static (operators, name) => operators.Remove(name));

    private static ValueTask<Answer> SessionsAsync(Call call) => new(call.Server.Access is { } access
        ? Answer.Of(access.Sessions.List(call.Get(Name)))
        : DirectoryDoor.None);

    private static async ValueTask<Answer> EndAsync(Call call)
    {
        if (call.Server.Access is not { } access)
            return DirectoryDoor.None;
        var ended = access.Sessions.End(call.Get(Name)!, call.Get(Session), call.By);
        await call.Server.Audit.FlushAsync(call.Aborted);
        return ended == 0
            ? Answer.No(Problems.NotFound, $"there is no such session of '{call.Get(Name)}'")
            : Answer.Of(new SessionsEnded(ended));
    }

    private static async ValueTask<Answer> ChangeAsync(Call call, Func<OperatorCommands, string, AdminOutcome> change)
    {
        if (call.Server.Access is not { } access)
            return DirectoryDoor.None;
        var outcome = change(access.Commands(call.By).Operators, call.Get(Name)!);
        await call.Server.Audit.FlushAsync(call.Aborted);
        return Answer.Of(outcome);
    }
}
