using System.CommandLine;
using System.Globalization;
using System.Net;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Explaining;

namespace Postern.Commands;

/// <summary><c>postern explain</c>: why a decision was made, from the log; or what would be decided, by the code that decides.</summary>
internal static class ExplainCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string?>("REF")
        {
            Description = "The reference at the end of a refusal, or a queue id",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var client = new Option<IPNetwork?>("--client")
        {
            Description = "What if a client of this address",
            HelpName = "IP",
            CustomParser = ParsedArguments.Address,
        };
        var login = new Option<string?>("--login") { Description = "logged in as this user", HelpName = "USER" };
        var credential = new Option<string?>("--credential")
        {
            Description = "by this credential, as its label or number",
            HelpName = "CREDENTIAL",
        };
        var tls = new Option<bool>("--tls") { Description = "over TLS" };
        var certificate = new Option<bool>("--certificate") { Description = "over TLS, with a certificate of the client" };
        var listener = new Option<string?>("--listener") { Description = "on this listener; the first one unless said", HelpName = "NAME" };
        var from = new Option<string?>("--from") { Description = "sent from this address, or '<>'", HelpName = "ADDRESS" };
        var to = new Option<string?>("--to") { Description = "to this address", HelpName = "ADDRESS" };
        var command = new DocumentedCommand(
            "explain",
            "Why a decision was made; or what would be decided, exit 1 when that is a refusal",
            "postern explain K7M3Q9",
            "postern explain --client 192.0.2.7 --login lisa@example.org --tls --from lisa@example.org --to bart@example.net").With(
                name, client, login, credential, tls, certificate, listener, from, to, context.Json);
        command.Validators.Add(result =>
        {
            var asksWhatIf = new Option[] { client, login, credential, tls, certificate, listener, from, to }.Any(
                option => result.GetResult(option) is { Implicit: false });
            if ((result.GetValue(name) is not null) == asksWhatIf)
                result.AddError("it takes either a reference, or --client, --from and --to");
            else if (asksWhatIf && new Option[] { client, from, to }.Any(option => result.GetResult(option) is null))
                result.AddError("it needs --client, --from and --to");
            else if (result.GetValue(credential) is not null && result.GetValue(login) is null)
                result.AddError("--credential needs --login: whose it is");
        });
        command.SetAction((arguments, ct) => arguments.GetValue(name) is { } text
            ? LookUpAsync(context, arguments, text, ct)
            : TryOutAsync(
                context,
                arguments,
                new WhatIf(arguments.GetValue(client)!.Value.BaseAddress.ToString(), arguments.GetValue(from)!, arguments.GetValue(to)!)
                {
                    Login = arguments.GetValue(login),
                    Credential = arguments.GetValue(credential),
                    IsTls = arguments.GetValue(tls) || arguments.GetValue(certificate),
                    HasCertificate = arguments.GetValue(certificate),
                    Listener = arguments.GetValue(listener),
                },
                ct));
        return command;
    }

    private static async Task<int> LookUpAsync(CommandContext context, ParseResult arguments, string text, CancellationToken ct)
    {
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        var (terminal, json) = (context.Terminal, arguments.GetValue(context.Json));
        switch (await new Explainer(new AuditSearch(configuration.LogsDirectory)).ExplainAsync(text, ct))
        {
            case Explanation.OfReference(var decisions, var repeats):
                if (json)
                    EventJson.WriteObject(terminal, ("decisions", decisions), ("repeats", repeats));
                foreach (var decision in json ? [] : decisions)
                    Print(terminal, decision);
                foreach (var repeat in json ? [] : repeats)
                    terminal.Line(PrintableText.Of(repeat.ToSentence()));
                return ExitCode.Ok;
            case Explanation.OfMessage(var accepted, var decisions, var deliveries):
                if (json)
                    EventJson.WriteObject(
                        terminal, ("accepted", accepted is null ? [] : [accepted]), ("decisions", decisions), ("deliveries", deliveries));
                else
                    Print(terminal, accepted, decisions, deliveries);
                return ExitCode.Ok;
            case Explanation.Malformed:
                return terminal.Fail(
                    $"'{text}' is neither the reference of a reply nor a queue id",
                    "A reference has six letters and digits, a queue id 26.",
                    ExitCode.Usage);
            default:
                return terminal.Fail($"the log holds nothing under '{text}'", "Logs are kept for `logs.keep` days; was it another server?");
        }
    }

    private static async Task<int> TryOutAsync(CommandContext context, ParseResult arguments, WhatIf question, CancellationToken ct)
    {
        // A file with mistakes says where the server is, and that is who decides.
        if (context.FindData(arguments) is not { } data)
            return ExitCode.Usage;
        var (server, why) = await ConnectAsync(data, ct);
        await using (server)
        {
            var answer = server is null
                ? await RehearseAsync(context, arguments, question, ct)
                : Compared(await server.ExplainAsync(question, ct), ConfigurationFile.Find(arguments.GetValue(context.ConfigFile)));
            var terminal = context.Terminal;
            if (answer is null)
                return ExitCode.Usage;
            if (answer.Problem is { } problem)
                return terminal.Fail(problem.What, problem.Todo, answer.IsWrong ? ExitCode.Usage : ExitCode.No);
            if (arguments.GetValue(context.Json))
                terminal.Json(answer, CommandJson.Readable.WhatIfAnswer);
            else
                Print(terminal, answer, why);
            return answer.Decisions[0].Reply is null ? ExitCode.Ok : ExitCode.No;
        }
    }

    /// <summary>The running server; or why the file has to do.</summary>
    private static async Task<(ControlClient? Server, string Why)> ConnectAsync(string data, CancellationToken ct)
    {
        try
        {
            return (await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct), $"no server is running on {data}");
        }
        catch (IOException e)
        {
            return (null, e.Message);
        }
    }

    /// <summary>What a server would decide that was started now; null after everything that stands against it was printed.</summary>
    private static async Task<WhatIfAnswer?> RehearseAsync(
        CommandContext context, ParseResult arguments, WhatIf question, CancellationToken ct)
    {
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return null;
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return new WhatIfAnswer { Problem = problem };
        if (await context.CompileAsync(configuration, CompileFor.Asking) is not { } compiled)
            return null;
        using var rehearsal = Rehearsal.Open(compiled, context.Clock);
        return await question.AnswerAsync(rehearsal.Snapshot, ct) with { Configuration = new(rehearsal.Snapshot.Id, configuration.Source) };
    }

    /// <summary>The server knows whether its own file has changed, and not which one was meant here.</summary>
    private static WhatIfAnswer Compared(WhatIfAnswer answer, string? file) =>
        file is null || answer.Configuration.File is null || Path.GetFullPath(file) == answer.Configuration.File
            ? answer
            : answer with
            {
                Configuration = answer.Configuration with
                {
                    Differs = $"the server runs by {answer.Configuration.File}, and not by {file}",
                },
            };

    private static void Print(Terminal terminal, WhatIfAnswer answer, string why)
    {
        var (configuration, decision) = (answer.Configuration, answer.Decisions[0]);
        Print(
            terminal,
            decision,
            configuration.IsServers
                ? $"of the running server ({configuration.Source})"
                : $"of the file ({configuration.Source}) and not of a server: {why}, so what was counted is unknown");
        if (answer.Expansion is { } expansion)
            Print(terminal, expansion);
        else if (answer.Route is { } route)
            Print(terminal, route, decision.Reply is null);
        if (answer.Signing is { } signing)
            terminal.Line(PrintableText.Of(
                signing.Problem is { } problem ? $"it would wait: {problem}"
                : signing.Keys.IsEmpty ? "not signed (DKIM)"
                : $"signed by {string.Join(" and ", signing.Keys)}, where From is of the sender's domain"));
        if (!answer.Change.IsEmpty)
            terminal.Line(PrintableText.Of($"the shortest change that permits it: {string.Join("; and ", answer.Change)}"));
        if (configuration.Differs is { } differs)
            terminal.Line(PrintableText.Of($"not the file: {differs}"));
    }

    private static void Print(Terminal terminal, ExpansionWord expansion)
    {
        terminal.Line(PrintableText.Of(expansion switch
        {
            { Problem: { } problem } => $"it fails: {problem}",
            { Count: 0 } => $"it is thrown away, by {expansion.From}",
            { Owner: { } owner } => $"it is a list of {expansion.Count}, by {expansion.From}; reports go to {owner}",
            { Count: 1 } => $"it stands for another address, by {expansion.From}",
            _ => $"it stands for {expansion.Count} addresses, by {expansion.From}",
        }));
        if (expansion.Targets.IsEmpty)
            return;
        var targets = new TablePage("address", "goes to");
        foreach (var (address, hop) in expansion.Targets)
            targets.Row(address, hop);
        targets.WriteTo(terminal);
        if (expansion.Count > expansion.Targets.Length)
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"and {expansion.Count - expansion.Targets.Length} more"));
    }

    private static void Print(Terminal terminal, RouteWord route, bool isPermitted)
    {
        foreach (var (name, because) in route.PassedOver)
            terminal.Line(PrintableText.Of($"not by route {name}: {because}"));
        var way = (route.Route, route.Hop) switch
        {
            (_, null) => "nowhere: there is no route, so messages are held",
            (null, { } hop) => $"to {hop}, as no route is for it",
            ({ } name, { } hop) => $"to {hop}, by route {name}",
        };
        terminal.Line(PrintableText.Of($"{(isPermitted ? "it goes" : "permitted, it would go")} {way}"));
    }

    private static void Print(
        Terminal terminal, AcceptedEvent? accepted, IEnumerable<DecisionEvent> decisions, IEnumerable<AuditEvent> deliveries)
    {
        var mail = new TablePage(EventText.Columns(AuditKind.Mail));
        if (accepted is not null)
            mail.Row(EventText.Cells(accepted));
        foreach (var delivery in deliveries)
            mail.Row(EventText.Cells(delivery));
        mail.WriteTo(terminal);
        foreach (var keys in deliveries.OfType<DeliveryEvent>().Select(static d => d.SignedBy).OfType<string>().Distinct())
            terminal.Line(PrintableText.Of($"signed by {keys.Replace(" ", " and ", StringComparison.Ordinal)}"));
        foreach (var sender in deliveries.OfType<DeliveryEvent>().Select(static d => d.SentAs).OfType<string>().Distinct())
            terminal.Line(PrintableText.Of($"sent as {sender}"));
        if (accepted is not null && !decisions.Any())
            terminal.Line(
                PrintableText.Of($"its decisions were like others and only counted: postern log policy --client {accepted.Client}"));
        foreach (var decision in decisions)
        {
            terminal.Line();
            Print(terminal, decision);
        }
    }

    private static void Print(Terminal terminal, DecisionEvent decision, string? whose = null)
    {
        var who = decision.User is { } user ? $"{decision.Client} logged in as {user}" : $"{decision.Client} without a login";
        var sender = decision.Sender.Length == 0 ? "<>" : decision.Sender;
        var what = decision.Recipient is { } recipient ? $"from {sender} to {recipient}" : $"from {sender}";
        terminal.Line(
            PrintableText.Of(
                $"{EventWord.Of(decision.Outcome)} by {decision.Rule}: "
                    + $"{who}{(decision.Tls is { } tls ? $" over {tls}" : string.Empty)}, {what}"));
        if (decision.Config is { } configuration)
            terminal.Line(PrintableText.Of($"configuration: {configuration}{(whose is null ? string.Empty : $", {whose}")}"));
        if (decision.Reply is { } reply)
            terminal.Line(PrintableText.Of($"reply: {reply}"));
        var chain = new TablePage("rule", "saw", "said", "what would change it");
        foreach (var step in decision.Chain)
            chain.Row(step.Rule, step.Saw, step.Said, step.Remedy ?? "-");
        chain.WriteTo(terminal);
    }
}
