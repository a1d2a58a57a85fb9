using System.CommandLine;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Spool;

namespace Postern.Commands.Queue;

/// <summary>The options by which queue commands say which messages they mean.</summary>
internal sealed class FilterOptions() : MailFilterOptions("waiting", "deferred", "held", "delivered", "failed")
{
    /// <summary>No message has it.</summary>
    private const string NoId = "-";

    public Option<TimeSpan?> OlderThan { get; } = new("--older-than")
    {
        Description = "Messages that arrived before this long ago, such as 2h or 3d",
        HelpName = "DURATION",
        CustomParser = ParsedArguments.Duration,
    };

    public Option<bool> Held { get; } = new("--held") { Description = "Held messages only" };

    public Option<string?> Tenant { get; } = new("--tenant") { Description = "Of accounts of this tenant", HelpName = "TENANT" };

    public Option<string?> Cause { get; } = new("--cause")
    {
        Description = "Whose last reply, for a recipient that waits, holds this text",
        HelpName = "TEXT",
    };

    public Symbol[] All => [.. OfMessages, Tenant, OlderThan, Held, Cause];

    public QueueFilter Read(ParseResult arguments, DateTimeOffset now)
    {
        var until = arguments.GetValue(Until)?.From(now);
        var older = now - arguments.GetValue(OlderThan);
        return new()
        {
            From = arguments.GetValue(From),
            To = arguments.GetValue(To),
            Domain = arguments.GetValue(Domain),
            Login = arguments.GetValue(Login),
            Tenant = arguments.GetValue(Tenant),
            Cause = arguments.GetValue(Cause),
            Client = arguments.GetValue(Client)?.ToString(),
            ArrivedSince = arguments.GetValue(Since)?.From(now),
            ArrivedBefore = until is null || older < until ? older ?? until : until,
            Outcome = arguments.GetValue(Outcome)?.ToLowerInvariant(),
            Held = arguments.GetValue(Held) ? true : null,
        };
    }

    /// <summary>The log is asked, too (<see cref="WithMessageIdAsync"/>).</summary>
    public bool AsksLog(ParseResult arguments) => arguments.GetValue(MessageId) is not null;

    /// <summary>
    /// Narrows to the messages with the Message-ID that was asked for. The queue does not know it; the log of what was accepted does.
    /// </summary>
    public async ValueTask<QueueFilter> WithMessageIdAsync(QueueFilter filter, ParseResult arguments, string logs, CancellationToken ct)
    {
        if (arguments.GetValue(MessageId) is not { } wanted)
            return filter;
        var ids = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        await foreach (var audit in new AuditSearch(logs).FindAsync(
            new AuditQuery { Kinds = AuditKind.Mail, MessageId = wanted, Outcome = "accepted" }, ct))
            ids.Add(((AcceptedEvent)audit).QueueId);
        if (!filter.Ids.IsDefaultOrEmpty)
            ids.IntersectWith(filter.Ids);
        return filter with { Ids = ids.Count == 0 ? [NoId] : [.. ids] };
    }
}
