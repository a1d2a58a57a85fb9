using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;

namespace Postern.Commands.Auth;

/// <summary><c>postern auth lift</c>: forgets the wrong logins of a place or an account. Exit 1 where there are none.</summary>
internal static class AuthLiftCommand
{
    public static Command Create(CommandContext context)
    {
        var target = new Argument<string>("ADDRESS|ACCOUNT") { Description = "An address (its network too), or an account wherever it is" };
        var command = new DocumentedCommand(
            "lift",
            "Forget the wrong logins of an address or an account; exit 1 where there are none",
            "postern auth lift 192.0.2.7",
            "postern auth lift lisa@example.org").With(target);
        command.SetAction((arguments, ct) => context.AskServerAsync(arguments, async client =>
        {
            var name = arguments.GetValue(target)!;
            var lifted = await client.LiftAsync(name, ct);
            if (lifted == 0)
                return context.Terminal.Fail($"there are no wrong logins of {name}", "See who is slowed: postern auth blocks");
            context.Terminal.Line(string.Create(CultureInfo.InvariantCulture, $"lifted: {name} ({lifted} budgets)"));
            return ExitCode.Ok;
        }, ct));
        return command;
    }
}
