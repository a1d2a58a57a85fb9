using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Relay.Delivery.Logins;
using Postern.Relay.Runtime;

namespace Postern.Commands;

/// <summary><c>postern oauth</c>: tokens for the servers that mail is handed to.</summary>
internal static class OAuthCommand
{
    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "oauth", "Let this server log in to another by OAuth 2.0", "postern oauth login robot@example.org").With(Login(context));

    private static Command Login(CommandContext context)
    {
        var user = new Argument<string?>("user")
        {
            Description = "The `user` of the route's login; may be left out where there is one",
            HelpName = "USER",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new DocumentedCommand(
            "login",
            "Have somebody allow it, by a code that is entered in any browser",
            "postern oauth login",
            "postern oauth login robot@example.org").With(user);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            if (configuration.InVault.Count > 0)
            {
                using var compiled = await context.CompileAsync(configuration, CompileFor.Asking);
                if (compiled is null)
                    return ExitCode.Usage;
                configuration = compiled.Configuration;
            }

            var asked = arguments.GetValue(user);
            TokenGrant[] grants = [.. configuration.Delivery.Routes.Select(static r => r.Route.Grant).OfType<TokenGrant>()
                .Where(g => g.DeviceUrl is not null && (asked is null || g.Account.Equals(asked, StringComparison.OrdinalIgnoreCase)))
                .DistinctBy(static g => g.FileName)];
            return grants switch
            {
                [] => context.Terminal.Fail(
                    asked is null ? "no route logs in by a code" : $"no route logs in as {asked} by a code",
                    "Give a route 'login: { user, oauth: { grant: refresh_token, device_url } }'.",
                    ExitCode.Usage),
                [var grant] => await RunAsync(context, configuration, grant, ct),
                _ => context.Terminal.Fail(
                    "several routes log in by a code",
                    $"Say for whom: {string.Join(", ", grants.Select(static g => g.Account))}",
                    ExitCode.Usage),
            };
        });
        return command;
    }

    private static async Task<int> RunAsync(
        CommandContext context, PosternConfiguration configuration, TokenGrant grant, CancellationToken ct)
    {
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return context.Terminal.Fail(problem.What, problem.Todo);
        try
        {
            var failure = await DeviceLogin.RunAsync(
                grant,
                RelayOptions.TokenDirectory(configuration.Server.Data),
                context.Clock,
                (code, place, until) => Show(context.Terminal.Output, grant, code, place, until),
                context.Terminal.Note,
                ct);
            if (failure is not null)
                return context.Terminal.Fail(failure.What, failure.Todo);
        }
        catch (IOException e)
        {
            return context.Terminal.Fail(e.Message, "Make room or give the directory to the user that Postern runs as, then try again.");
        }

        await context.Terminal.Output.WriteLineAsync(
            $"Allowed. A running server uses it from its next attempt on: routes that log in as {grant.Account} need nothing more.");
        return ExitCode.Ok;
    }

    private static void Show(TextWriter output, TokenGrant grant, string code, string place, DateTimeOffset until)
    {
        output.WriteLine($"Open {place} in any browser, log in as {grant.Account}, and enter");
        output.WriteLine();
        output.WriteLine($"    {code}");
        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"before {until.ToUniversalTime():HH:mm} UTC. Waiting for it (Ctrl+C gives up) ..."));
        output.Flush();
    }
}
