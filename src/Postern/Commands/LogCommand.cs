using System.CommandLine;
using System.CommandLine.Parsing;
using Postern.Commands.Output;
using Postern.Commands.Queue;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;

namespace Postern.Commands;

/// <summary><c>postern log</c>: what was written down, found again. Reads the files; no server is needed.</summary>
internal static class LogCommand
{
    private const int DefaultLimit = 100;
    /// <summary>How long a search looks before it shows what it has.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    public static Command Create(CommandContext context) =>
        new DocumentedCommand(
            "log",
            "Search what was written down",
            "postern log auth --since 1h --login lisa@example.org",
            "postern log policy --ref K7M3Q9",
            "postern log policy --rule reject_unauth_destination --since 1d").With(
            Create(context, "auth", AuditKind.Auth, "Logins, successful or not", "postern log auth --client 192.0.2.0/24 --follow"),
            Create(
                context,
                "mail",
                AuditKind.Mail,
                "Messages accepted, refused, delivered, bounced",
                "postern log mail --to bart@example.net --since 2d --outcome delivered"),
            Create(context, "policy", AuditKind.Policy, "Decisions about senders and recipients", "postern log policy --since 2h --json"),
            Create(context, "admin", AuditKind.Admin, "What operators changed", "postern log admin --since 7d"),
            Create(context, "server", AuditKind.Server, "The server itself", "postern log server"),
            LogContentCommand.Create(context));

    private static Command Create(CommandContext context, string name, AuditKind kind, string description, string example)
    {
        var filter = new MailFilterOptions(OutcomesOf(kind));
        var reference = new Option<string?>("--ref") { Description = "With this reference or queue id", HelpName = "REF" };
        var rule = Text("--rule", "Decided by this rule", "RULE");
        var route = Text("--route", "By this route, as it is configured", "ROUTE");
        var category = Text("--category", "Not delivered for this reason", "WORD");
        var tenant = Text("--tenant", "Of accounts of this tenant", "TENANT");
        var credential = Text("--credential", "By this credential of the directory, such as 7: who used it, and who tried to", "NUMBER");
        var after = Text("--after", "Older than where an earlier search ended, which said this", "CURSOR");
        var limit = new Option<int>("--limit")
        {
            Description = "At most the last N events",
            HelpName = "N",
            CustomParser = ParsedArguments.Count,
            DefaultValueFactory = static _ => DefaultLimit,
        };
        var message = new Option<string?>("--id")
        {
            Description = "All that was written down of this message, whatever its kind, oldest first",
            HelpName = "ID",
        };
        message.Validators.Add(WhyNoId);
        var follow = new Option<bool>("--follow")
        {
            Description = "Go on with what is written from now on, until interrupted; with --json one event a line",
        };
        reference.Validators.Add(WhyNoReference);
        after.Validators.Add(WhyNoCursor);
        credential.Validators.Add(WhyNoNumber);
        Symbol[] ofKind = kind switch
        {
            AuditKind.Mail => [message, route, category, tenant],
            AuditKind.Policy => [rule, tenant],
            AuditKind.Auth => [credential, tenant],
            _ => [],
        };
        var command = new DocumentedCommand(name, description, example).With(
            [.. OptionsOf(kind, filter), .. ofKind, reference, limit, after, follow, context.Json]);
        command.SetAction(async (arguments, ct) =>
        {
            if (context.LoadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            if (kind == AuditKind.Mail && QueueId.TryParse(arguments.GetValue(message), out var id))
                return await TellAsync(context, arguments, configuration, id, ct);
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
                Rule = arguments.GetValue(rule),
                Route = arguments.GetValue(route),
                Category = arguments.GetValue(category),
                Tenant = arguments.GetValue(tenant),
                Credential = arguments.GetValue(credential) is { } number ? $"#{number.TrimStart('#')}" : null,
                Limit = arguments.GetValue(limit),
            };
            query = Referring(query, arguments.GetValue(reference));
            var json = arguments.GetValue(context.Json);
            if (arguments.GetValue(follow))
                return await FollowAsync(context, new AuditTail(configuration.LogsDirectory, query, context.Clock), json, ct);
            var from = arguments.GetValue(after) is { } text && AuditCursor.TryParse(text, out var cursor) ? cursor : null;
            var page = await new AuditSearch(configuration.LogsDirectory).PageAsync(query, from, Patience, context.Clock, ct);
            Print(context.Terminal, page, query.Kinds, json);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<int> TellAsync(
        CommandContext context, ParseResult arguments, PosternConfiguration configuration, QueueId id, CancellationToken ct)
    {
        var story = await MessageTrace.ReadAsync(configuration.LogsDirectory, id, ct);
        if (arguments.GetValue(context.Json))
        {
            EventJson.WriteList(context.Terminal, story);
            return ExitCode.Ok;
        }

        if (story.Count == 0)
            context.Terminal.Line("nothing found");
        else
            MessageTrace.Print(context.Terminal, story);
        MessageTrace.PrintKept(context, configuration, id);
        return ExitCode.Ok;
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

    private static void Print(Terminal terminal, AuditPage page, AuditKind kind, bool json)
    {
        if (json)
        {
            EventJson.WriteList(terminal, page.Events.Reverse());
        }
        else
        {
            var table = new TablePage(EventText.Columns(kind));
            foreach (var audit in page.Events.Reverse())
                table.Row(EventText.Cells(audit));
            table.WriteTo(terminal, ifEmpty: page.SearchedBackTo is null ? "nothing found" : "nothing found so far");
        }

        if (page.SearchedBackTo is { } back)
            terminal.Note($"searched back to {TimeText.Format(back)}");
        if (page.Next is { } next)
            terminal.Note($"for what is older: --after {next}");
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

    private static Option<string?> Text(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help };

    private static void WhyNoCursor(OptionResult result)
    {
        if (result.GetValueOrDefault<string?>() is { } text && !AuditCursor.TryParse(text, out _))
            result.AddError($"'{text}' is not where a search ended, which is written like mail-2026-11-20:123456");
    }

    private static void WhyNoNumber(OptionResult result)
    {
        if (result.GetValueOrDefault<string?>() is { } text
            && !(text.TrimStart('#') is { Length: > 0 } number && number.All(char.IsAsciiDigit)))
            result.AddError($"'{text}' is not the number of a credential, which `postern credential list ACCOUNT` shows");
    }

    private static void WhyNoId(OptionResult result)
    {
        if (result.GetValueOrDefault<string?>() is { } text && !QueueId.TryParse(text, out _))
            result.AddError($"'{text}' is not a queue id");
    }

    private static void WhyNoReference(OptionResult result)
    {
        if (result.GetValueOrDefault<string?>() is { } text && !QueueId.TryParse(text, out _) && !DecisionReference.TryParse(text, out _))
            result.AddError($"'{text}' is neither the reference of a reply nor a queue id");
    }
}
