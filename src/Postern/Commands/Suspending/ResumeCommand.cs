using System.CommandLine;
using Postern.Relay.Policy.Suspending;
using Postern.Web.Documents;

namespace Postern.Commands.Suspending;

/// <summary><c>postern resume</c>: who was suspended sends again; exit 1 where nobody was.</summary>
internal static class ResumeCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "resume", "Take mail again of an account, credential or tenant that is suspended", "postern resume account lisa@example.org");
        foreach (var kind in Enum.GetValues<SuspendedKind>())
            command.Add(Of(context, kind));
        return command;
    }

    private static Command Of(CommandContext context, SuspendedKind kind)
    {
        var name = new Argument<string>("NAME") { Description = SuspendCommand.NameOf(kind) };
        var command = new DocumentedCommand(
            kind.Word(), $"Take mail of this {kind.Word()} again", $"postern resume {kind.Word()} NAME").With(name, context.Json);
        command.SetAction((arguments, ct) => context.AskServerAsync(arguments, async client =>
        {
            var done = await client.ResumeSenderAsync(new(kind, arguments.GetValue(name)!), ct);
            return done.Problem is { } problem
                ? context.Terminal.Fail(problem, "See who is: postern suspend list")
                : context.Show(
                    arguments,
                    done,
                    ApiJson.Readable.SenderSuspension,
                    terminal => terminal.Line($"{kind.Word()} {done.Suspension!.Name}: sends again"));
        }, ct));
        return command;
    }
}
