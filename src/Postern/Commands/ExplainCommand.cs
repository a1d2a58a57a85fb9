using System.CommandLine;
using System.Net;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;

namespace Postern.Commands;

/// <summary><c>postern explain</c>: why a decision was made, from the log; or what would be decided, by the code that decides.</summary>
internal static class ExplainCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string?>("REF") { Description = "The reference at the end of a refusal, or a queue id", Arity = ArgumentArity.ZeroOrOne };
        var client = new Option<IPNetwork?>("--client") { Description = "What if a client of this address", HelpName = "IP", CustomParser = ParsedArguments.Address };
        var login = new Option<string?>("--login") { Description = "logged in as this user", HelpName = "USER" };
        var tls = new Option<bool>("--tls") { Description = "over TLS" };
        var certificate = new Option<bool>("--certificate") { Description = "over TLS, with a certificate of the client" };
        var listener = new Option<string?>("--listener") { Description = "on this listener; the first one unless said", HelpName = "NAME" };
        var from = new Option<string?>("--from") { Description = "sent from this address, or '<>'", HelpName = "ADDRESS" };
        var to = new Option<string?>("--to") { Description = "to this address", HelpName = "ADDRESS" };
        var command = new DocumentedCommand(
            "explain",
            "Why a decision was made; or what would be decided, exit 1 when that is a refusal",
            "postern explain K7M3Q9",
            "postern explain --client 192.0.2.7 --login lisa@example.org --tls --from lisa@example.org --to bart@example.net").With(name, client, login, tls, certificate, listener, from, to, context.Json);
        command.Validators.Add(result =>
        {
            var asksWhatIf = new Option[] { client, login, tls, certificate, listener, from, to }.Any(option => result.GetResult(option) is { Implicit: false });
            if ((result.GetValue(name) is not null) == asksWhatIf)
                result.AddError("it takes either a reference, or --client, --from and --to");
            else if (asksWhatIf && new Option[] { client, from, to }.Any(option => result.GetResult(option) is null))
                result.AddError("it needs --client, --from and --to");
        });
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            var json = arguments.GetValue(context.Json);
            if (arguments.GetValue(name) is { } text)
                return await LookUpAsync(context.Terminal, new Explainer(new AuditSearch(configuration.LogsDirectory)), text, json, ct);
            var question = new Question(
                arguments.GetValue(client)!.Value.BaseAddress, arguments.GetValue(login), arguments.GetValue(tls) || arguments.GetValue(certificate), arguments.GetValue(certificate), arguments.GetValue(listener), arguments.GetValue(from)!, arguments.GetValue(to)!);
            return await TryOutAsync(context, configuration, question, json, ct);
        });
        return command;
    }

    private static async Task<int> LookUpAsync(Terminal terminal, Explainer explainer, string text, bool json, CancellationToken ct)
    {
        switch (await explainer.ExplainAsync(text, ct))
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
                    EventJson.WriteObject(terminal, ("accepted", accepted is null ? [] : [accepted]), ("decisions", decisions), ("deliveries", deliveries));
                else
                    Print(terminal, accepted, decisions, deliveries);
                return ExitCode.Ok;
            case Explanation.Malformed:
                return terminal.Fail($"'{text}' is neither the reference of a reply nor a queue id", "A reference has six letters and digits, a queue id 26.", ExitCode.Usage);
            default:
                return terminal.Fail($"the log holds nothing under '{text}'", "Logs are kept for `logs.keep` days; was it another server?");
        }
    }

    private static async Task<int> TryOutAsync(CommandContext context, PosternConfiguration configuration, Question question, bool json, CancellationToken ct)
    {
        var terminal = context.Terminal;
        if (question.From is not "<>" && !Mailbox.TryParse(question.From, out _))
            return terminal.Fail($"'{question.From}' is not a mail address", "Write local@domain, or '<>' for the null sender.", ExitCode.Usage);
        if (!Mailbox.TryParse(question.To, out var recipient))
            return terminal.Fail($"'{question.To}' is not a mail address", "Write local@domain.", ExitCode.Usage);
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return terminal.Fail(problem.What, problem.Todo);
        if (await context.CompileAsync(configuration, CompileFor.Asking) is not { } compiled)
            return ExitCode.Usage;
        await using var running = await RunningServerAsync(configuration, ct);
        using var rehearsal = Rehearsal.Open(compiled, context.Clock, counters: running);
        var snapshot = rehearsal.Snapshot;
        if (snapshot.OfferOn(question.Listener, question.IsTls, question.HasCertificate) is not { } offer)
            return terminal.Fail($"there is no listener '{question.Listener}'", $"There are {string.Join(", ", configuration.Listeners.Select(static l => l.Name))}.", ExitCode.Usage);
        if (offer.RequiresTls)
            return terminal.Fail($"530 5.7.0: listener {offer.Listener} takes no mail before STARTTLS", "Ask again with --tls.");
        var sender = new ReversePath(Mailbox.TryParse(question.From, out var mailbox) ? mailbox : null);
        var facts = EnvelopeFacts.Of(offer, question.Client, question.Login);
        var decision = (await snapshot.Policy.DryRunAsync(facts, sender, recipient, ct)).ToAuditEvent();
        var change = await snapshot.Policy.ShortestChangeAsync(facts, sender, recipient, ct);
        if (json)
            EventJson.WriteObject(terminal, [("change", change)], ("decisions", [decision]));
        else
            Print(terminal, decision);
        if (!json && !change.IsEmpty)
            terminal.Line(PrintableText.Of($"the shortest change that permits it: {string.Join("; and ", change)}"));
        return decision.Reply is null ? ExitCode.Ok : ExitCode.No;
    }

    /// <summary>Alone knows what was counted; null where there is none, or this user may not ask it. Then the rules say that it is unknown.</summary>
    private static async Task<ControlClient?> RunningServerAsync(PosternConfiguration configuration, CancellationToken ct)
    {
        try
        {
            return await ControlClient.ConnectAsync(DataDirectory.ControlSocket(configuration.Server.Data), ct);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void Print(Terminal terminal, AcceptedEvent? accepted, IEnumerable<DecisionEvent> decisions, IEnumerable<AuditEvent> deliveries)
    {
        var mail = new TablePage(EventText.Columns(AuditKind.Mail));
        if (accepted is not null)
            mail.Row(EventText.Cells(accepted));
        foreach (var delivery in deliveries)
            mail.Row(EventText.Cells(delivery));
        mail.WriteTo(terminal);
        if (accepted is not null && !decisions.Any())
            terminal.Line(PrintableText.Of($"its decisions were like others and only counted: postern log policy --client {accepted.Client}"));
        foreach (var decision in decisions)
        {
            terminal.Line();
            Print(terminal, decision);
        }
    }

    private static void Print(Terminal terminal, DecisionEvent decision)
    {
        var who = decision.User is { } user ? $"{decision.Client} logged in as {user}" : $"{decision.Client} without a login";
        var sender = decision.Sender.Length == 0 ? "<>" : decision.Sender;
        var what = decision.Recipient is { } recipient ? $"from {sender} to {recipient}" : $"from {sender}";
        terminal.Line(PrintableText.Of($"{EventWord.Of(decision.Outcome)} by {decision.Rule}: {who}{(decision.Tls is { } tls ? $" over {tls}" : string.Empty)}, {what}"));
        if (decision.Config is { } configuration)
            terminal.Line(PrintableText.Of($"configuration: {configuration}"));
        if (decision.Reply is { } reply)
            terminal.Line(PrintableText.Of($"reply: {reply}"));
        var chain = new TablePage("rule", "saw", "said", "what would change it");
        foreach (var step in decision.Chain)
            chain.Row(step.Rule, step.Saw, step.Said, step.Remedy ?? "-");
        chain.WriteTo(terminal);
    }

    private sealed record Question(IPAddress Client, string? Login, bool IsTls, bool HasCertificate, string? Listener, string From, string To);
}
