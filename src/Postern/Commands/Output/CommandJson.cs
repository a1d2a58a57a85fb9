using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Postern.Commands.Accounts;
using Postern.Commands.Auth;
using Postern.Hosting;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;

namespace Postern.Commands.Output;

/// <summary>Every document that <c>--json</c> prints. Names are stable; new ones may be added.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AuthTestDocument))]
[JsonSerializable(typeof(CheckDocument))]
[JsonSerializable(typeof(OutcomeDocument))]
[JsonSerializable(typeof(ImmutableArray<AccountDetails>))]
[JsonSerializable(typeof(ImmutableArray<DomainDetails>))]
[JsonSerializable(typeof(ImmutableArray<NetworkDetails>))]
[JsonSerializable(typeof(ImmutableArray<LoginBlock>))]
[JsonSerializable(typeof(QueuePage))]
[JsonSerializable(typeof(QueueItem))]
[JsonSerializable(typeof(QueueChange))]
[JsonSerializable(typeof(ImmutableArray<SessionItem>))]
[JsonSerializable(typeof(SessionChange))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(ReloadReport))]
[JsonSerializable(typeof(BackupDocument))]
[JsonSerializable(typeof(ImportDocument))]
internal sealed partial class CommandJson : JsonSerializerContext
{
    /// <summary>Readable in a terminal: only what JSON itself demands is escaped, control characters among it.</summary>
    public static CommandJson Readable => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
