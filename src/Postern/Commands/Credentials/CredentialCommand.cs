using System.CommandLine;
using Postern.Relay.Admin;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential</c>: the secrets of an account.</summary>
internal static class CredentialCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "credential", "The secrets of an account; there may be several", "postern credential add app --label web-1 --expires 90d",
            "postern credential add lisa@example.org --app --label phone --first-network").With(
            CredentialAddCommand.Create(context, replaces: false),
            CredentialAddCommand.Create(context, replaces: true),
            CredentialListCommand.Create(context),
            CredentialLimitCommand.Create(context),
            CredentialRevokeCommand.Create(context));

    public static Argument<string> Account() => new("ACCOUNT") { Description = "Whose" };
}

/// <summary><c>postern credential revoke</c>.</summary>
internal static class CredentialRevokeCommand
{
    public static Command Create(CommandContext context)
    {
        var account = CredentialCommand.Account();
        var credential = new Argument<string?>("CREDENTIAL")
        {
            Description = "Its label or number; may be left out where there is only one",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new DocumentedCommand(
            "revoke",
            "Make a secret useless at once",
            "postern credential revoke app web-1",
            "postern credential revoke app 7").With(account, credential, context.Json);
        command.SetAction((arguments, ct) => context.TakeAwayAsync(
            arguments,
            commands => commands.Credentials.Revoke(
                new RevokeCredential(arguments.GetRequiredValue(account), arguments.GetValue(credential))),
            ct));
        return command;
    }
}
