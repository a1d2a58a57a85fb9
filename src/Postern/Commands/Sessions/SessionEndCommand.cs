using System.CommandLine;
using Postern.Commands.Output;
using Postern.Web.Documents;

namespace Postern.Commands.Sessions;

/// <summary><c>postern session end</c>: by id, or all that fit a filter. A client that may still log in can come back.</summary>
internal static class SessionEndCommand
{
    public static Command Create(CommandContext context)
    {
        var ids = new Argument<string[]>("ID")
        {
            Description = "Session ids, as in the list and in the log",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var (login, client) = (SessionCommand.Login(), SessionCommand.Client());
        var all = new Option<bool>("--all") { Description = "Every session" };
        var command = new DocumentedCommand(
            "end",
            "End sessions with 421; to keep somebody out, disable the account",
            "postern session end 3f9c01d2ab45",
            "postern session end --login lisa@example.org").With(ids, login, client, all, context.Json);
        command.SetAction(async (arguments, ct) =>
        {
            var named = arguments.GetValue(ids) ?? [];
            if (named.FirstOrDefault(static id => id.StartsWith('-')) is { } option)
                return context.Terminal.Fail(
                    $"postern session end has no option '{option}'",
                    "Run 'postern session end --help' to see what it takes.",
                    ExitCode.Usage);
            var filter = SessionCommand.Filter(arguments, login, client) with { Ids = [.. named] };
            if (filter.IsEverything != arguments.GetValue(all))
                return context.Terminal.Fail(
                    filter.IsEverything ? "session end: no session is named" : "session end: --all does not go with ids or filters",
                    "Name ids, or --login, or --client, or --all.",
                    ExitCode.Usage);
            return await context.AskServerAsync(
                arguments,
                async server =>
                {
                    var change = await server.EndSessionsAsync(filter, ct);
                    if (arguments.GetValue(context.Json))
                        context.Terminal.Json(change, ApiJson.Readable.SessionChange);
                    else
                        context.Terminal.Line(change.Ended == 1 ? "1 session ended" : $"{change.Ended} sessions ended");
                    return change.Ended > 0 ? ExitCode.Ok : ExitCode.No;
                },
                ct);
        });
        return command;
    }
}
