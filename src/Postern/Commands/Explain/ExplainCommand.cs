using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Net;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Explaining;
using Postern.Web.Documents;

namespace Postern.Commands.Explain;

/// <summary><c>postern explain</c>: why a decision was made, from the log; or what would be decided, by the code that decides.</summary>
internal static class ExplainCommand
{
    private const int Indent = 2;

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
        var helo = new Option<string?>("--helo") { Description = "that says this name in EHLO", HelpName = "NAME" };
        var headerFrom = new Option<string?>("--header-from")
        {
            Description = "with this in the field From; left out: what rules say of the header is not asked",
            HelpName = "TEXT",
        };
        var to = new Option<string?>("--to") { Description = "to this address", HelpName = "ADDRESS" };
        var cases = new Option<string?>("--cases")
        {
            Description = "Run the tests of this file against the configuration; exit 1 where one comes out differently",
            HelpName = "FILE",
        };
        var junit = new Option<string?>("--junit") { Description = "and write the results as JUnit XML", HelpName = "FILE" };
        var command = new DocumentedCommand(
            "explain",
            "Why a decision was made; or what would be decided, exit 1 when that is a refusal",
            "postern explain K7M3Q9",
            "postern explain --client 192.0.2.7 --login lisa@example.org --tls --from lisa@example.org --to bart@example.net",
            "postern explain --cases cases.yaml --junit report.xml").With(
                name, client, login, credential, tls, certificate, helo, listener, from, to, headerFrom, cases, junit, context.Json);
        command.Validators.Add(result =>
        {
            var asksWhatIf = new Option[] { client, login, credential, tls, certificate, helo, listener, from, to, headerFrom }.Any(
                option => result.GetResult(option) is { Implicit: false });
            if (result.GetValue(cases) is not null)
            {
                if (asksWhatIf || result.GetValue(name) is not null)
                    result.AddError("--cases takes everything from its file");
                return;
            }

            if (result.GetValue(junit) is not null)
                result.AddError("--junit needs --cases");
            else if ((result.GetValue(name) is not null) == asksWhatIf)
                result.AddError("it takes either a reference, or --client, --from and --to, or --cases");
            else if (asksWhatIf && new Option[] { client, from, to }.Any(option => result.GetResult(option) is null))
                result.AddError("it needs --client, --from and --to");
            else if (result.GetValue(credential) is not null && result.GetValue(login) is null)
                result.AddError("--credential needs --login: whose it is");
        });
        command.SetAction((arguments, ct) =>
            arguments.GetValue(cases) is { } file ? CasesRun.RunAsync(context, arguments, file, arguments.GetValue(junit), ct)
            : arguments.GetValue(name) is { } text ? LookUpAsync(context, arguments, text, ct)
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
                    Helo = arguments.GetValue(helo),
                    HeaderFrom = arguments.GetValue(headerFrom),
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
                else
                    await PrintAsync(context, arguments, configuration, decisions, ct);
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
        await using var asked = await AskedRules.OpenAsync(context, arguments, data, ct);
        var terminal = context.Terminal;
        if (asked is null || await asked.AnswerAsync(question, ct) is not { } answer)
            return ExitCode.Usage;
        if (answer.Problem is { } problem)
            return terminal.Fail(problem.What, problem.Todo, answer.IsWrong ? ExitCode.Usage : ExitCode.No);
        if (arguments.GetValue(context.Json))
            terminal.Json(answer, ApiJson.Readable.WhatIfAnswer);
        else
            Print(terminal, answer, asked.Why);
        return answer.Decisions[0].Reply is null ? ExitCode.Ok : ExitCode.No;
    }

    /// <summary>
    /// Each decision; and of what was refused, what would be decided now and the shortest change that permits it, as far as the question is
    /// in the log.
    /// </summary>
    private static async Task PrintAsync(
        CommandContext context,
        ParseResult arguments,
        PosternConfiguration configuration,
        ImmutableArray<DecisionEvent> decisions,
        CancellationToken ct)
    {
        var terminal = context.Terminal;
        AskedRules? asked = null;
        try
        {
            foreach (var decision in decisions)
            {
                DecisionTree.Of(decision).WriteTo(terminal);
                if (decision.Reply is null)
                    continue;
                if (decision.Stage == RuleStage.Message.ToWord())
                {
                    terminal.Prose("asked again: it cannot be, for the log does not keep the header of a message", Indent);
                    continue;
                }

                asked ??= await AskedRules.OpenAsync(context, arguments, configuration.Server.Data, ct);
                if (asked is null || await asked.AnswerAsync(WhatIf.Of(decision), ct) is not { } now)
                    return;
                PrintAgain(terminal, now);
            }
        }
        catch (DirectoryUnavailableException e)
        {
            terminal.Note($"asked again: it cannot be now: {e.Message}");
        }
        finally
        {
            if (asked is not null)
                await asked.DisposeAsync();
        }
    }

    private static void PrintAgain(Terminal terminal, WhatIfAnswer now)
    {
        if (now.Problem is { } problem)
        {
            terminal.Prose(PrintableText.Of($"asked again: {problem.What}"), Indent);
            return;
        }

        var (decision, whose) = (now.Decisions[0], now.Configuration.IsServers ? "of the running server" : "of the file");
        terminal.Prose(
            PrintableText.Of(
                $"asked again now: {EventWord.Of(decision.Outcome)} by {decision.Rule}, under configuration {decision.Config} {whose}"),
            Indent);
        PrintChange(terminal, now);
    }

    private static void PrintChange(Terminal terminal, WhatIfAnswer answer)
    {
        if (answer.Decisions[0].Reply is null)
            return;
        switch (answer.Change)
        {
            case [var only]:
                terminal.Prose(PrintableText.Of($"the shortest change that permits it: {only}"), Indent);
                break;
            case { IsEmpty: false } several:
                terminal.Line("the shortest change that permits it is all of this:");
                foreach (var change in several)
                    terminal.Prose(PrintableText.Of($"  - {change}"), 2 * Indent);
                break;
            default:
                terminal.Prose(PrintableText.Of($"no change here is known to permit it{Hint(answer.Decisions[0])}"), Indent);
                break;
        }
    }

    private static string Hint(DecisionEvent decision) =>
        decision.Chain is [.., { Remedy: { } remedy }] ? $"; what decided says: {remedy}" : string.Empty;

    private static void Print(Terminal terminal, WhatIfAnswer answer, string why)
    {
        var (configuration, decision) = (answer.Configuration, answer.Decisions[0]);
        var whose = configuration.IsServers
            ? $"of the running server ({configuration.Source})"
            : $"of the file ({configuration.Source}) and not of a server: {why}, so what was counted is unknown";
        DecisionTree.Of(decision, whose, answer.Effects).WriteTo(terminal);
        if (answer.Expansion is { } expansion)
            Print(terminal, expansion);
        else if (answer.Route is { } route)
            Print(terminal, route, decision.Reply is null);
        if (answer.Signing is { } signing)
            terminal.Line(PrintableText.Of(
                signing.Problem is { } problem ? $"it would wait: {problem}"
                : signing.Keys.IsEmpty ? "not signed (DKIM)"
                : $"signed by {string.Join(" and ", signing.Keys)}, where From is of the sender's domain"));
        PrintChange(terminal, answer);
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
            DecisionTree.Of(decision).WriteTo(terminal);
        }
    }
}
