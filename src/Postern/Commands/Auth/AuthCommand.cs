using System.CommandLine;

namespace Postern.Commands.Auth;

/// <summary><c>postern auth</c>: logging in, looked at from the operator's side.</summary>
internal static class AuthCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand("auth", "Try how logins come out", "postern auth test lisa@example.org", "postern auth test lisa@example.org --mechanism CRAM-MD5").With(AuthTestCommand.Create(context));
}
