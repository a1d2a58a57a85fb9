using System.CommandLine;
using System.CommandLine.Parsing;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Admin;

namespace Postern.Commands.Credentials;

/// <summary><c>postern credential limit</c>: where a secret may be used, as whom, and until when.</summary>
internal static class CredentialLimitCommand
{
    private const string Never = "never";

    public static Command Create(CommandContext context)
    {
        var account = CredentialCommand.Account();
        var credential = new Argument<string?>("CREDENTIAL")
        {
            Description = "Its label or number; may be left out where there is only one",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var scope = new ScopeOptions(lifts: true);
        var expires = new Option<Life?>("--expires")
        {
            Description = $"How long it is good for from now on, such as 90d; or {Never}",
            HelpName = "DURATION",
            CustomParser = Life.Parse,
        };
        var command = new DocumentedCommand(
            "limit",
            "Say where a secret may be used, as whom it may send, and until when; what is not said stays as it is",
            "postern credential limit lisa@example.org phone --listener submission --network 192.0.2.0/24",
            "postern credential limit scanner 7 --sender scanner@example.org",
            "postern credential limit lisa@example.org phone --network any --expires never").With(
            [account, credential, .. scope.All, expires, context.Json]);
        command.SetAction((arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration
                || scope.Read(context.Terminal, arguments, configuration) is not { } wanted)
                return Task.FromResult(ExitCode.Usage);
            var life = arguments.GetValue(expires);
            return context.TakeAwayAsync(
                arguments,
                commands => commands.Credentials.Limit(
                    new LimitCredential(arguments.GetRequiredValue(account), arguments.GetValue(credential), wanted)
                    {
                        ExpiresAfter = life?.For,
                        NeverExpires = life is { For: null },
                    }),
                ct);
        });
        return command;
    }

    /// <param name="For">Null for ever.</param>
    private sealed record Life(TimeSpan? For)
    {
        public static Life? Parse(ArgumentResult result)
        {
            var text = result.Tokens[^1].Value;
            if (text == Never)
                return new Life(For: null);
            if (Kinds.Duration.Read(text, out var time))
                return new Life(time);
            result.AddError($"'{text}' is not right here; expected {Kinds.Duration.Expected}, or {Never}");
            return null;
        }
    }
}
