using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Runtime;
using Postern.Sasl;
using Postern.Sasl.Client;

namespace Postern.Commands.Auth;

/// <summary>
/// <c>postern auth test</c>: what each store says of a user, and how a login comes out by each mechanism, with the code of the server and
/// of a client.
/// </summary>
internal static class AuthTestCommand
{
    public static Command Create(CommandContext context)
    {
        var user = new Argument<string>("USER") { Description = "The login name, as a client would send it" };
        var mechanism = new Option<string?>("--mechanism")
        {
            Description = "Only this one, with each step; unless said, every one that a listener offers",
            HelpName = "MECHANISM",
        };
        mechanism.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && Find(name) is null)
                result.AddError(
                    $"there is no mechanism "
                        + $"'{name}'{NearestName.Hint(name.ToUpperInvariant(), SaslClientMechanisms.All.Select(static m => m.Name))}");
        });
        var via = new Option<string?>("--via")
        {
            Description = "Ask this store alone, configured or not: directory, file:///path, digest:///path",
            HelpName = "STORE",
        };
        var listener = new Option<string?>("--listener")
        {
            Description = "As on this listener: the stores that it asks, the mechanisms that it offers",
            HelpName = "NAME",
        };
        var actAs = new Option<string?>("--act-as") { Description = "On behalf of this account", HelpName = "ACCOUNT" };
        var token = new Option<bool>("--token") { Description = "What is read is a bearer token, not a password" };
        var command = new DocumentedCommand(
            "test",
            "Try a login against the stores and show each step; the password is asked for, or read from standard input. "
                + "Exit 1 when none succeeds",
            "postern auth test lisa@example.org",
            "postern auth test lisa --mechanism DIGEST-MD5 --via digest:///etc/postern/digest < password.txt").With(
                user, mechanism, via, listener, actAs, token, context.Json);
        var options = new Options(user, mechanism, via, listener, actAs, token);
        command.Validators.Add(result =>
        {
            if (result.GetValue(via) is not null && result.GetValue(listener) is not null)
                result.AddError("it takes --via or --listener: a listener says itself which stores are asked");
        });
        command.SetAction((arguments, ct) => RunAsync(context, arguments, options, ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, ParseResult arguments, Options options, CancellationToken ct)
    {
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        AccountSource? only = null;
        if (arguments.GetValue(options.Via) is { } store)
        {
            var configured = configuration.ToAccounts().Sources.FirstOrDefault(s => s.Uri == store);
            only = configured ?? new AccountSource(store, configuration.Realm);
            if (AccountStores.WhyNot(only) is { } wrong)
                return context.Terminal.Fail(wrong, "Name a store as in postern.yaml.", ExitCode.Usage);
            if (configured is null && AccountStores.Of(only) is { HasOwnKeys: true })
                return context.Terminal.Fail(
                    $"{store} is not in postern.yaml, and its URI is not all that must be said of it",
                    "Name a store as in postern.yaml.",
                    ExitCode.Usage);
        }

        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return context.Terminal.Fail(problem.What, problem.Todo);
        var isToken = arguments.GetValue(options.Token);
        if (context.Terminal.ReadSecret(isToken ? "Token: " : "Password: ") is not { Length: > 0 } secret)
            return context.Terminal.Fail(
                $"there is no {(isToken ? "token" : "password")} on standard input", "Write it there as one line.", ExitCode.Usage);
        if (await context.CompileAsync(configuration, CompileFor.Asking) is not { } compiled)
            return ExitCode.Usage;
        using var server = Rehearsal.Open(compiled, context.Clock, accounts => only is null ? accounts : accounts.Only(only));
        string[] listeners = [.. server.Snapshot.Options.Listeners.Select(static l => l.Name)];
        if (arguments.GetValue(options.Listener) is { } listener)
        {
            if (!listeners.Contains(listener, StringComparer.OrdinalIgnoreCase))
            {
                return context.Terminal.Fail(
                    $"there is no listener '{listener}'{NearestName.Hint(listener, listeners)}",
                    $"There are {string.Join(", ", listeners)}.",
                    ExitCode.Usage);
            }

            listeners = [listener];
        }

        var verifiers = listeners.Length == 1 ? server.Snapshot.Accounts.On(listeners[0]).Verifiers : server.Snapshot.Accounts.Verifiers;
        listeners = await KnowingAsync(server.Snapshot, listeners, arguments.GetRequiredValue(options.User), verifiers, ct);
        var rehearsal = new LoginRehearsal(verifiers, new SaslClientCredentials
        {
            User = arguments.GetRequiredValue(options.User),
            AuthorizationId = arguments.GetValue(options.ActAs) ?? string.Empty,
            Password = isToken ? null : new Secret(secret),
            Token = isToken ? new Secret(secret) : null,
            Host = configuration.Server.Hostname.Text,
        });
        var named = arguments.GetValue(options.Mechanism);
        var attempts = new List<LoginAttemptDocument>();
        foreach (var one in SaslClientMechanisms.All.Where(m => named is null || m.Name.Equals(named, StringComparison.OrdinalIgnoreCase)))
        {
            var offered = OffersOf(server.Snapshot, listeners, one.Name);
            if ((named is not null || offered.Length > 0) && await rehearsal.RunAsync(one, ct) is { } attempt)
                attempts.Add(attempt with { Offered = offered.Length > 0 ? offered : "nowhere" });
        }

        var document = new AuthTestDocument(attempts.Exists(static a => a.Ok), await rehearsal.AskStoresAsync(ct), [.. attempts]);
        if (arguments.GetValue(context.Json))
            context.Terminal.Json(document, CommandJson.Readable.AuthTestDocument);
        else
            Print(context.Terminal, document, withSteps: named is not null);
        if (attempts.Count == 0)
            return context.Terminal.Fail(
                named is null ? "no mechanism can be tried" : $"{named.ToUpperInvariant()} cannot be tried here",
                "It needs something else than this, or no store can answer it.");
        return document.Ok ? ExitCode.Ok : ExitCode.No;
    }

    private static ISaslClientMechanism? Find(string name) =>
        SaslClientMechanisms.All.FirstOrDefault(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The listeners that ask the store which knows the user here; all of them where none does.</summary>
    private static async ValueTask<string[]> KnowingAsync(
        RelaySnapshot snapshot, string[] listeners, string user, AccountVerifiers verifiers, CancellationToken ct)
    {
        if (snapshot.Options.Accounts.StoresByListener.Count == 0
            || (await verifiers.Descriptions.FindLoginAsync(user, ct))?.Store is not { } store)
            return listeners;
        var knowing = new List<string>();
        foreach (var name in listeners)
        {
            if ((await snapshot.Accounts.On(name).Verifiers.Descriptions.FindLoginAsync(user, ct))?.Store == store)
                knowing.Add(name);
        }

        return [.. knowing];
    }

    /// <summary>The listeners where a client can use it, in clear or under TLS.</summary>
    private static string OffersOf(RelaySnapshot snapshot, string[] listeners, string mechanism) => string.Join(
        ", ",
        listeners
            .Where(name => Offers(snapshot, name, isTls: true, mechanism) || Offers(snapshot, name, isTls: false, mechanism)));

    private static bool Offers(RelaySnapshot snapshot, string listener, bool isTls, string mechanism) =>
        snapshot.OfferOn(listener, isTls, hasCertificate: isTls, tiesTheConnection: isTls)?.Mechanisms.Contains(
            mechanism, StringComparer.OrdinalIgnoreCase) is true;

    private static void Print(Terminal terminal, AuthTestDocument document, bool withSteps)
    {
        var stores = new TablePage("store", "says");
        foreach (var store in document.Stores)
            stores.Row(store.Store, store.Says);
        stores.WriteTo(terminal);
        terminal.Line();
        foreach (var attempt in withSteps ? document.Attempts : [])
        {
            var steps = new TablePage("step", "who", "what");
            foreach (var (step, i) in attempt.Steps.Select(static (step, i) => (step, i + 1)))
                steps.Row(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{i}"), step.Who, step.What);
            steps.WriteTo(terminal);
            terminal.Line();
        }

        var results = new TablePage("mechanism", "a client is told", "because", "offered by");
        foreach (var attempt in document.Attempts)
            results.Row(attempt.Mechanism, attempt.Reply, attempt.Reason, attempt.Offered);
        results.WriteTo(terminal, ifEmpty: "nothing was tried");
    }

    private sealed record Options(
        Argument<string> User,
        Option<string?> Mechanism,
        Option<string?> Via,
        Option<string?> Listener,
        Option<string?> ActAs,
        Option<bool> Token);
}
