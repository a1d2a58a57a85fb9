using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Commands.Auth;

/// <summary>
/// <c>postern auth test</c>: what each store says of a user, what the account is, and how a login comes out by each mechanism, with the
/// code of the server and of a client; and what to do where it does not log in.
/// </summary>
internal static class AuthTestCommand
{
    public static Command Create(CommandContext context)
    {
        var options = new AuthTestOptions();
        var command = new DocumentedCommand(
            "test",
            "Try a login against the stores and show each step; the password is asked for, or read from standard input. "
                + "Exit 1 when none succeeds",
            "postern auth test lisa@example.org",
            "postern auth test lisa --mechanism DIGEST-MD5 --via digest:///etc/postern/digest < password.txt").With(
                [.. options.All, context.Json]);
        options.Guard(command);
        command.SetAction((arguments, ct) => RunAsync(context, arguments, options, ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, ParseResult arguments, AuthTestOptions options, CancellationToken ct)
    {
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        AccountSource? only = null;
        if (arguments.GetValue(options.Via) is { } store && !TryFindStore(context, configuration, store, out only))
            return ExitCode.Usage;
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return context.Terminal.Fail(problem.What, problem.Todo);
        var isToken = arguments.GetValue(options.Token);
        if (context.Terminal.ReadSecret(isToken ? "Token: " : "Password: ") is not { Length: > 0 } secret)
            return context.Terminal.Fail(
                $"there is no {(isToken ? "token" : "password")} on standard input", "Write it there as one line.", ExitCode.Usage);
        if (await context.CompileAsync(configuration, CompileFor.Asking) is not { } compiled)
            return ExitCode.Usage;
        using var server = Rehearsal.Open(compiled, context.Clock, accounts => only is null ? accounts : accounts.Only(only));
        string[] listeners = [.. server.Snapshot.ListenerNames];
        if (arguments.GetValue(options.Listener) is { } listener)
        {
            if (!listeners.Contains(listener, StringComparer.OrdinalIgnoreCase))
                return context.Terminal.Fail(
                    $"there is no listener '{listener}'{NearestName.Hint(listener, listeners)}",
                    $"There are {string.Join(", ", listeners)}.",
                    ExitCode.Usage);
            listeners = [listener];
        }

        var inquiry = new AuthTestInquiry(server.Snapshot, listeners, context.Clock, new SaslClientCredentials
        {
            User = arguments.GetRequiredValue(options.User),
            AuthorizationId = arguments.GetValue(options.ActAs) ?? string.Empty,
            Password = isToken ? null : new Secret(secret),
            Token = isToken ? new Secret(secret) : null,
            Host = configuration.Server.Hostname.Text,
        });
        var named = arguments.GetValue(options.Mechanism);
        var document = await inquiry.RunAsync(named, DataDirectory.ControlSocket(configuration.Server.Data), ct);
        if (arguments.GetValue(context.Json))
            context.Terminal.Json(document, CommandJson.Readable.AuthTestDocument);
        else
            AuthTestPage.Print(context.Terminal, document, withSteps: named is not null);
        if (document.Attempts.IsEmpty)
            return context.Terminal.Fail(
                named is null ? "no mechanism can be tried" : $"{named.ToUpperInvariant()} cannot be tried here",
                "It needs something else than this, or no store can answer it.");
        return document.Ok ? ExitCode.Ok : ExitCode.No;
    }

    /// <summary>The store of that name, as it is configured or by its URI alone; false after what is wrong was printed.</summary>
    private static bool TryFindStore(CommandContext context, PosternConfiguration configuration, string store, out AccountSource? source)
    {
        var configured = configuration.ToAccounts().Sources.FirstOrDefault(s => s.Uri == store);
        source = configured ?? new AccountSource(store, configuration.Realm);
        var wrong = AccountStores.WhyNot(source)
            ?? (configured is null && AccountStores.Of(source) is { HasOwnKeys: true }
                ? $"{store} is not in postern.yaml, and its URI is not all that must be said of it"
                : null);
        if (wrong is null)
            return true;
        context.Terminal.Fail(wrong, "Name a store as in postern.yaml.", ExitCode.Usage);
        return false;
    }
}
