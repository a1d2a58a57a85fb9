using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Documents;

/// <summary>Everything that is known of one message. Events are as they stand in the log, the oldest first.</summary>
internal sealed record MessageDocument
{
    public required string Id { get; init; }

    /// <summary>Where it is, in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>Null where the log no longer has it.</summary>
    public AcceptedEvent? Accepted { get; init; }

    /// <summary>The login of its session; null for a message without one, or where the log no longer has it.</summary>
    public LoginEvent? Login { get; init; }

    public ImmutableArray<RecipientFate> Recipients { get; init; } = [];

    public ImmutableArray<DecisionEvent> Decisions { get; init; } = [];

    public ImmutableArray<DeliveryEvent> Deliveries { get; init; } = [];

    /// <summary>To its sender: bounces, delays, successes; also those that were kept back.</summary>
    public ImmutableArray<BounceEvent> Reports { get; init; } = [];

    /// <summary>What operators did, names that were expanded, what the server noted. Of operators, tenants are told nothing.</summary>
    public ImmutableArray<AuditEvent> Others { get; init; } = [];

    /// <summary>Null where it is not in the queue.</summary>
    public QueueItem? Queue { get; init; }

    /// <summary>All of it in one row, the oldest first; of one moment, decisions stand before what they let in.</summary>
    [JsonIgnore]
    public IEnumerable<AuditEvent> Events => ((AuditEvent?[])[Login, .. Decisions, Accepted, .. Deliveries, .. Reports, .. Others])
        .OfType<AuditEvent>().OrderBy(static audit => audit.At);
}
