using System.CommandLine;
using Postern.Relay.Admin;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential revoke</c>.</summary>
internal static class CredentialRevokeCommand
{
    public static Command Create(CommandContext context)
    {
        var account = CredentialCommand.Account();
        var credential = new Argument<string?>("CREDENTIAL") { Description = "Its label or number; may be left out where there is only one", Arity = ArgumentArity.ZeroOrOne };
        var command = new DocumentedCommand("revoke", "Make a secret useless at once", "postern credential revoke app web-1", "postern credential revoke app 7").With(account, credential, context.Json);
        command.SetAction((arguments, ct) => context.TakeAwayAsync(
            arguments, commands => commands.Revoke(new RevokeCredential(arguments.GetRequiredValue(account), arguments.GetValue(credential))), ct));
        return command;
    }
}
