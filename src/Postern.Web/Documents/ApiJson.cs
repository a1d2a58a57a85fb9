using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Smtp.Session;
using Postern.Web.Access;

namespace Postern.Web.Documents;

/// <summary>Every document of the API and of the command line, in one spelling. Names are stable; new ones may be added.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16,
    Converters = [typeof(EventConverter)])]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(ReloadReport))]
[JsonSerializable(typeof(WhatIf))]
[JsonSerializable(typeof(WhatIfAnswer))]
[JsonSerializable(typeof(ShapingReport))]
[JsonSerializable(typeof(QueuePage))]
[JsonSerializable(typeof(QueueItem))]
[JsonSerializable(typeof(QueueStatistics))]
[JsonSerializable(typeof(ChangeQueue))]
[JsonSerializable(typeof(QueueTrial))]
[JsonSerializable(typeof(QueueChange))]
[JsonSerializable(typeof(SuspendDomains))]
[JsonSerializable(typeof(SuspensionChange))]
[JsonSerializable(typeof(ResendKept))]
[JsonSerializable(typeof(Resending))]
[JsonSerializable(typeof(SessionFilter))]
[JsonSerializable(typeof(ImmutableArray<SessionItem>))]
[JsonSerializable(typeof(SessionChange))]
[JsonSerializable(typeof(LoginsReviewed))]
[JsonSerializable(typeof(ImmutableArray<LoginBlock>))]
[JsonSerializable(typeof(Lifted))]
[JsonSerializable(typeof(ImmutableArray<StoreWordDocument>))]
[JsonSerializable(typeof(ImmutableArray<WatchState>))]
[JsonSerializable(typeof(ForgiveLogin))]
[JsonSerializable(typeof(ForgivenLogins))]
[JsonSerializable(typeof(ImmutableArray<LimitUse>))]
[JsonSerializable(typeof(RaiseLimit))]
[JsonSerializable(typeof(UndoLimit))]
[JsonSerializable(typeof(LimitChange))]
[JsonSerializable(typeof(ImmutableArray<Suspension>))]
[JsonSerializable(typeof(SuspendSender))]
[JsonSerializable(typeof(ResumeSender))]
[JsonSerializable(typeof(SenderSuspension))]
[JsonSerializable(typeof(EventPage))]
[JsonSerializable(typeof(Lagged))]
[JsonSerializable(typeof(MessageList))]
[JsonSerializable(typeof(MessageDocument))]
[JsonSerializable(typeof(HeaderDocument))]
[JsonSerializable(typeof(DecisionDocument))]
[JsonSerializable(typeof(OutcomeDocument))]
[JsonSerializable(typeof(ImmutableArray<AccountDetails>))]
[JsonSerializable(typeof(NewAccount))]
[JsonSerializable(typeof(GrantChange))]
[JsonSerializable(typeof(NewSecret))]
[JsonSerializable(typeof(ImmutableArray<DomainDetails>))]
[JsonSerializable(typeof(NewDomain))]
[JsonSerializable(typeof(ImmutableArray<DkimKeyDetails>))]
[JsonSerializable(typeof(ImmutableArray<NetworkDetails>))]
[JsonSerializable(typeof(ImmutableArray<Suppression>))]
[JsonSerializable(typeof(NewSuppression))]
[JsonSerializable(typeof(OperatorPage))]
[JsonSerializable(typeof(NewInvitation))]
[JsonSerializable(typeof(InvitedDocument))]
[JsonSerializable(typeof(NewRole))]
[JsonSerializable(typeof(ImmutableArray<SessionDetails>))]
[JsonSerializable(typeof(SessionsEnded))]
[JsonSerializable(typeof(ImmutableArray<KeyDetails>))]
[JsonSerializable(typeof(NewKey))]
[JsonSerializable(typeof(KeyIssuedDocument))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>Readable in a terminal: only what JSON itself demands is escaped, control characters among it.</summary>
    public static ApiJson Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)TypeOf(typeof(T));

    /// <exception cref="InvalidOperationException">The type is missing in the list above.</exception>
    public static JsonTypeInfo TypeOf(Type type) => Readable.GetTypeInfo(type)
        ?? throw new InvalidOperationException($"{type} is no document: add it to {nameof(ApiJson)}");
}
