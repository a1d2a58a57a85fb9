using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Web.Documents;

namespace Postern.Commands.Sessions;

/// <summary><c>postern session list</c>.</summary>
internal static class SessionListCommand
{
    public static Command Create(CommandContext context)
    {
        var (login, client) = (SessionCommand.Login(), SessionCommand.Client());
        var command = new DocumentedCommand(
            "list",
            "List open sessions, oldest first",
            "postern session list",
            "postern session list --login lisa@example.org --json").With(login, client, context.Json);
        command.SetAction((arguments, ct) => context.AskServerAsync(
            arguments,
            async server =>
            {
                var sessions = await server.ListSessionsAsync(SessionCommand.Filter(arguments, login, client), ct);
                return context.Show(arguments, sessions, ApiJson.Readable.ImmutableArraySessionItem, terminal =>
                {
                    var table = new TablePage("session", "listener", "client", "since", "login", "by", "tls", "state");
                    foreach (var session in sessions)
                    {
                        var who = session.Login is null ? "-"
                            : session.Login == session.ProvenBy ? session.Login
                            : $"{session.Login}, proven by {session.ProvenBy}";
                        table.Row(
                            session.Id,
                            session.Listener,
                            session.Client,
                            TimeText.Format(session.Since),
                            who,
                            session.Mechanism ?? "-",
                            session.Tls ?? "-",
                            session.State);
                    }

                    table.WriteTo(terminal, ifEmpty: "no open sessions");
                    if (!sessions.IsEmpty)
                        terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{sessions.Length} in all"));
                });
            },
            ct));
        return command;
    }
}
