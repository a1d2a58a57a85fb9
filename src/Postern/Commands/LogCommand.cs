using System.CommandLine;
using System.CommandLine.Parsing;
using Postern.Commands.Output;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;

namespace Postern.Commands;

/// <summary><c>postern log</c>: what was written down, found again. Reads the files; no server is needed.</summary>
internal static class LogCommand
{
    private const int DefaultLimit = 100;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    public static Command Create(CommandContext context) =>
        new DocumentedCommand("log", "Search what was written down", "postern log auth --since 1h --login lisa@example.org", "postern log policy --ref K7M3Q9").With(
            Create(context, "auth", AuditKind.Auth, "Logins, successful or not", "postern log auth --client 192.0.2.0/24 --follow"),
            Create(context, "mail", AuditKind.Mail, "Messages accepted, refused, delivered, bounced", "postern log mail --to bart@example.net --since 2d --outcome delivered"),
            Create(context, "policy", AuditKind.Policy, "Decisions about senders and recipients", "postern log policy --since 2h --json"),
            Create(context, "admin", AuditKind.Admin, "What operators changed", "postern log admin --since 7d"),
            Create(context, "server", AuditKind.Server, "The server itself", "postern log server"));

    private static Command Create(CommandContext context, string name, AuditKind kind, string description, string example)
    {
        var filter = new MailFilterOptions(OutcomesOf(kind));
        var reference = new Option<string?>("--ref") { Description = "With this reference or queue id", HelpName = "REF" };
        var limit = new Option<int>("--limit") { Description = "At most the last N events", HelpName = "N", CustomParser = ParsedArguments.Count, DefaultValueFactory = static _ => DefaultLimit };
        var follow = new Option<bool>("--follow") { Description = "Go on with what is written from now on, until interrupted; with --json one event a line" };
        reference.Validators.Add(WhyNoReference);
        var command = new DocumentedCommand(name, description, example).With([.. OptionsOf(kind, filter), reference, limit, follow, context.Json]);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            var now = context.Clock.GetUtcNow();
            var query = new AuditQuery
            {
                Kinds = kind,
                Since = arguments.GetValue(filter.Since)?.From(now),
                Until = arguments.GetValue(filter.Until)?.From(now),
                Login = arguments.GetValue(filter.Login),
                Client = arguments.GetValue(filter.Client),
                Sender = arguments.GetValue(filter.From),
                Recipient = arguments.GetValue(filter.To),
                Domain = arguments.GetValue(filter.Domain),
                MessageId = arguments.GetValue(filter.MessageId),
                Outcome = arguments.GetValue(filter.Outcome),
                Limit = arguments.GetValue(limit),
            };
            query = Referring(query, arguments.GetValue(reference));
            var json = arguments.GetValue(context.Json);
            if (arguments.GetValue(follow))
                return await FollowAsync(context, new AuditTail(configuration.LogsDirectory, query, context.Clock), json, ct);
            return await PrintAsync(context.Terminal, new AuditSearch(configuration.LogsDirectory), query, json, ct);
        });
        return command;
    }

    private static string[] OutcomesOf(AuditKind kind) => kind switch
    {
        AuditKind.Mail => ["accepted", "refused", .. EventWord.All<DeliveryOutcome>(), BounceEvent.Outcome],
        AuditKind.Policy => [.. EventWord.All<DecisionOutcome>()],
        _ => [.. EventWord.All<AuthOutcome>()],
    };

    /// <summary>What events of the kind have.</summary>
    private static Symbol[] OptionsOf(AuditKind kind, MailFilterOptions filter) => kind switch
    {
        AuditKind.Mail => filter.OfMessages,
        AuditKind.Policy => [filter.From, filter.To, filter.Domain, .. filter.OfAll],
        AuditKind.Auth => filter.OfAll,
        _ => [filter.Login, filter.Client, filter.Since, filter.Until],
    };

    private static async Task<int> PrintAsync(Terminal terminal, AuditSearch search, AuditQuery query, bool json, CancellationToken ct)
    {
        var events = new List<AuditEvent>();
        await foreach (var audit in search.FindAsync(query, ct))
            events.Add(audit);
        events.Reverse();
        if (json)
        {
            EventJson.WriteList(terminal, events);
            return ExitCode.Ok;
        }

        var table = new TablePage(EventText.Columns(query.Kinds));
        foreach (var audit in events)
            table.Row(EventText.Cells(audit));
        table.WriteTo(terminal, ifEmpty: "nothing found");
        return ExitCode.Ok;
    }

    private static async Task<int> FollowAsync(CommandContext context, AuditTail tail, bool json, CancellationToken ct)
    {
        await foreach (var audit in tail.FollowAsync(LookAgain, ct))
        {
            if (json)
                EventJson.WriteLine(context.Terminal, audit);
            else
                context.Terminal.Line(PrintableText.Of(string.Join("  ", EventText.Cells(audit))));
            await context.Terminal.Output.FlushAsync(ct);
        }

        return ExitCode.Ok;
    }

    private static AuditQuery Referring(AuditQuery query, string? text) => text switch
    {
        null => query,
        _ when QueueId.TryParse(text, out var id) => query with { QueueId = id.ToString() },
        _ when DecisionReference.TryParse(text, out var reference) => query with { Ref = reference },
        _ => query,
    };

    private static void WhyNoReference(OptionResult result)
    {
        if (result.GetValueOrDefault<string?>() is { } text && !QueueId.TryParse(text, out _) && !DecisionReference.TryParse(text, out _))
            result.AddError($"'{text}' is neither the reference of a reply nor a queue id");
    }
}
