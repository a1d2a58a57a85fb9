using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Postern.Hosting.Live;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Relay.Spool;
using Postern.Smtp.Session;

namespace Postern.Hosting.Control;

/// <summary>What passes over the control socket.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(DecisionJson)])]
[JsonSerializable(typeof(ControlRequests.ListQueue))]
[JsonSerializable(typeof(ControlRequests.ChangeQueue))]
[JsonSerializable(typeof(ControlRequests.CountQueue))]
[JsonSerializable(typeof(ControlRequests.SuspendDomains))]
[JsonSerializable(typeof(ControlRequests.ResendKept))]
[JsonSerializable(typeof(Resending))]
[JsonSerializable(typeof(QueueStatistics))]
[JsonSerializable(typeof(SuspensionChange))]
[JsonSerializable(typeof(ControlRequests.LoginTarget))]
[JsonSerializable(typeof(ControlRequests.Lifted))]
[JsonSerializable(typeof(ControlRequests.StoreQuestion))]
[JsonSerializable(typeof(ImmutableArray<StoreWordDocument>))]
[JsonSerializable(typeof(ControlRequests.Refusal))]
[JsonSerializable(typeof(ImmutableArray<LoginBlock>))]
[JsonSerializable(typeof(ControlRequests.NamedLimits))]
[JsonSerializable(typeof(ControlRequests.RaiseLimit))]
[JsonSerializable(typeof(ControlRequests.UndoLimit))]
[JsonSerializable(typeof(ImmutableArray<LimitUse>))]
[JsonSerializable(typeof(LimitChange))]
[JsonSerializable(typeof(ControlRequests.WatchedLogins))]
[JsonSerializable(typeof(ImmutableArray<WatchState>))]
[JsonSerializable(typeof(ForgivenLogins))]
[JsonSerializable(typeof(ControlRequests.SuspendSender))]
[JsonSerializable(typeof(ControlRequests.ResumeSender))]
[JsonSerializable(typeof(SenderSuspension))]
[JsonSerializable(typeof(ImmutableArray<Suspension>))]
[JsonSerializable(typeof(QueuePage))]
[JsonSerializable(typeof(QueueItem))]
[JsonSerializable(typeof(QueueChange))]
[JsonSerializable(typeof(SessionFilter))]
[JsonSerializable(typeof(ImmutableArray<SessionItem>))]
[JsonSerializable(typeof(SessionChange))]
[JsonSerializable(typeof(LoginsReviewed))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(ReloadReport))]
[JsonSerializable(typeof(WhatIf))]
[JsonSerializable(typeof(ShapingQuestion))]
[JsonSerializable(typeof(ShapingReport))]
[JsonSerializable(typeof(WhatIfAnswer))]
internal sealed partial class ControlJson : JsonSerializerContext;

/// <summary>The bodies of what is asked over the control socket.</summary>
internal static class ControlRequests
{
    /// <param name="After">The id behind which the page begins; null for the first page.</param>
    internal sealed record ListQueue(QueueFilter Filter, int Limit, string? After);

    /// <param name="With">What the action needs; null where it needs nothing.</param>
    internal sealed record ChangeQueue(QueueAction Action, QueueFilter Filter, string? With = null);

    /// <param name="Most">Destinations to name.</param>
    internal sealed record CountQueue(QueueFilter Filter, int Most);

    /// <param name="To">Empty for those that it was for.</param>
    /// <param name="OnlyFailed">Of those, the ones that it did not get to.</param>
    internal sealed record ResendKept(string Id, string[] To, bool OnlyFailed);

    /// <param name="Suspends">Else resumes.</param>
    internal sealed record SuspendDomains(string[] Domains, bool Suspends);

    /// <param name="Target">An address, a network or an account.</param>
    internal sealed record LoginTarget(string Target);

    /// <param name="Name">Null for everybody who has used something.</param>
    internal sealed record NamedLimits(string? Name);

    /// <param name="Of">Null where the name tells.</param>
    /// <param name="Window">In seconds, as <paramref name="Lasts"/>.</param>
    internal sealed record RaiseLimit(string Name, string? Of, LimitThing What, long Count, long Window, long Lasts);

    /// <param name="What">Null for all that was raised.</param>
    internal sealed record UndoLimit(string Name, string? Of, LimitThing? What);

    /// <param name="All">Also those that are as always.</param>
    internal sealed record WatchedLogins(bool All);

    /// <param name="Lasts">In seconds.</param>
    internal sealed record SuspendSender(SuspendedKind Of, string Name, string Reason, long Lasts);

    internal sealed record ResumeSender(SuspendedKind Of, string Name);

    /// <param name="Listener">That asks some stores only; null for all.</param>
    internal sealed record StoreQuestion(string User, string? Listener);

    /// <param name="Budgets">Those that held wrong logins.</param>
    internal sealed record Lifted(int Budgets);

    /// <summary>The body of every answer that is not 200.</summary>
    internal sealed record Refusal(string Error);
}

/// <summary>A destination that somebody asks about.</summary>
/// <param name="Domain">Of a recipient.</param>
/// <param name="Tenant">Null for mail of none.</param>
internal sealed record ShapingQuestion(string Domain, string? Tenant);
