using System.CommandLine;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential</c>: the secrets of an account.</summary>
internal static class CredentialCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand("credential", "The secrets of an account; there may be several", "postern credential add app --label web-1 --expires 90d").With(
            CredentialAddCommand.Create(context, replaces: false), CredentialAddCommand.Create(context, replaces: true), CredentialListCommand.Create(context), CredentialRevokeCommand.Create(context));

    public static Argument<string> Account() => new("ACCOUNT") { Description = "Whose" };
}
