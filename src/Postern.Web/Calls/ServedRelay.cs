using System.Collections.Immutable;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Audit;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Web.Access;
using Postern.Web.Documents;

namespace Postern.Web.Calls;

/// <summary>What routes and pages ask of the server that they belong to. What is null is not there, and its routes say so.</summary>
internal sealed record ServedRelay
{
    public required TimeProvider Clock { get; init; }

    public required IAuditLog Audit { get; init; }

    /// <summary>The directory of the event log; null where none is kept.</summary>
    public string? Logs { get; init; }

    /// <summary>Tells of what went wrong here: what, and its words.</summary>
    public Action<string, string> Tell { get; init; } = static (_, _) => { };

    /// <summary>Events as they happen.</summary>
    public EventHub Live { get; init; } = new();

    public required Func<StatusDocument> Status { get; init; }

    public required QueueQueries Queue { get; init; }

    public required QueueCommands QueueChanges { get; init; }

    /// <summary>Destinations that wait for an operator.</summary>
    public required SuspensionCommands Destinations { get; init; }

    public required SessionCommands Sessions { get; init; }

    public required Func<Operator, Task<ReloadReport>> Reload { get; init; }

    public required Func<WhatIf, CancellationToken, Task<WhatIfAnswer>> Explain { get; init; }

    public required Func<Domain, string?, CancellationToken, Task<ShapingReport>> Shaping { get; init; }

    /// <summary>Sends again what is kept.</summary>
    public Func<QueueId, ImmutableArray<Mailbox>, bool, Operator, ValueTask<Resending>>? Resend { get; init; }

    public LoginCommands? Logins { get; init; }

    public LimitCommands? Limits { get; init; }

    /// <summary>Who sends unlike himself.</summary>
    public WatchCommands? Watch { get; init; }

    /// <summary>Who sends nothing for a while.</summary>
    public SuspendCommands? Suspended { get; init; }

    /// <summary>Accounts, domains, networks and what else the database holds.</summary>
    public SqliteDirectory? Directory { get; init; }

    /// <summary>Who calls over the network, and who may; null where nobody does.</summary>
    public WebAccess? Access { get; init; }

    /// <summary>Where the pages are, for links that people follow: <c>https://postern.example.org</c>.</summary>
    public string Console { get; init; } = string.Empty;

    /// <summary>What the stores of a listener, or all of them, say of a user.</summary>
    public Func<string, string?, CancellationToken, ValueTask<ImmutableArray<StoreWordDocument>>>? AskStores { get; init; }
}
