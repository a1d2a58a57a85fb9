using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Policy.Counters;
using Postern.Smtp.Session;

namespace Postern.Hosting;

/// <summary>What passes over the control socket.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ControlRequests.ListQueue))]
[JsonSerializable(typeof(ControlRequests.ChangeQueue))]
[JsonSerializable(typeof(ControlRequests.LiftLogins))]
[JsonSerializable(typeof(ControlRequests.Lifted))]
[JsonSerializable(typeof(ControlRequests.PeekCounter))]
[JsonSerializable(typeof(CounterLevel))]
[JsonSerializable(typeof(ControlRequests.Refusal))]
[JsonSerializable(typeof(ImmutableArray<LoginBlock>))]
[JsonSerializable(typeof(QueuePage))]
[JsonSerializable(typeof(QueueItem))]
[JsonSerializable(typeof(QueueChange))]
[JsonSerializable(typeof(SessionFilter))]
[JsonSerializable(typeof(ImmutableArray<SessionItem>))]
[JsonSerializable(typeof(SessionChange))]
[JsonSerializable(typeof(LoginsReviewed))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(ReloadReport))]
internal sealed partial class ControlJson : JsonSerializerContext;
