using System.CommandLine;

namespace Postern.Commands.Auth;

/// <summary><c>postern auth</c>: logging in, looked at from the operator's side.</summary>
internal static class AuthCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "auth",
            "Try how logins come out, watch them; see and lift what slows them",
            "postern auth test lisa@example.org",
            "postern auth watch --failed",
            "postern auth blocks",
            "postern auth lift 192.0.2.7").With(
            AuthTestCommand.Create(context),
            AuthWatchCommand.Create(context),
            AuthBlocksCommand.Create(context),
            AuthLiftCommand.Create(context));
}
